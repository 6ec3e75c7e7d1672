"""Making a stamp's file and judging one; loaded only where the extra ``tsa`` is needed."""

from __future__ import annotations

from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificates

from visitsync.audit import Verdict
from visitsync.audit.time_stamp import TimeStamp, check, encode, verify_time_stamp
from visitsync.cli.stamping.asking import ask
from visitsync.errors import OperatorError


async def stamped(url: str, note: str, ca: Path | None) -> bytes:
    """A stamp's file for a signed head, checked as far as `ca` allows.

    Raises:
        OperatorError: the authority cannot be reached, or `ca` holds no certificate.
        BadStamp: the answer is not for this head and request, or by nobody under `ca`.
    """
    roots = None if ca is None else certificates(ca)
    answer, nonce = await ask(url, note)
    check(answer, note, roots, nonce=nonce)
    return encode(TimeStamp(answer, note))


def judged(data: bytes, key: str | None, ca: Path) -> Verdict:
    """What can be said about a stamp's file, with the certificates in `ca`.

    Raises:
        OperatorError: `ca` holds no certificate.
    """
    return verify_time_stamp(data, key, certificates(ca))


def certificates(file: Path) -> list[Certificate]:
    """The certificates in a file.

    Raises:
        OperatorError: it holds none.
    """
    try:
        return load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError):
        raise OperatorError(
            "The file holds no certificate in PEM form; ask the authority for its root",
            where=str(file),
        ) from None
