"""A real time-stamping authority for tests: openssl behind a small HTTP server."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

OPENSSL = shutil.which("openssl")
NONE_HERE = "no openssl here, which plays the time-stamping authority: install it"
_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


class Authority:
    """Keys, a root and an answer to each query; `spoilt` makes it answer wrongly.

    Args:
        folder: where its files are.
        days: from when to when the certificate of its stamps holds, from now.
        between: an authority between it and its root: one that ``may`` certify, one that ``may
            not``, or one whose certificate stands ``unsorted`` beside the other in an answer.
    """

    def __init__(
        self, folder: Path, *, days: tuple[int, int] = (-1, 30), between: str = ""
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.root = folder / "ca.pem"
        self.spoilt = ""
        self.other: bytes = b""
        """What is stamped in place of what was asked, where it is spoilt so."""
        _certify(folder, days, between)
        (folder / "serial").write_text("01\n")
        config = _CONFIG.format(folder=folder)
        if between:
            config += f"certs = {folder}/between.pem\n"
        (folder / "tsa.cnf").write_text(config)

    def answer(self, query: bytes) -> bytes:
        asked = self.folder / "asked.tsq"
        asked.write_bytes(query)
        sums = {"nonce": "-sha256", "imprint": "-sha256", "sha512": "-sha512", "refused": "-sha384"}
        if self.spoilt in sums:
            about = self.folder / "about"
            about.write_bytes(self.other)
            openssl("ts", "-query", "-data", about, sums[self.spoilt], "-cert", "-out", asked)
        config = self.folder / "tsa.cnf"
        answer = self.folder / "answer.tsr"
        openssl("ts", "-reply", "-config", config, "-queryfile", asked, "-out", answer)
        return answer.read_bytes()


def openssl(*arguments: object) -> None:
    """Run openssl; what it says is shown where it fails."""
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@contextmanager
def serving(authority: Authority) -> Iterator[str]:
    """The address at which it answers."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            if authority.spoilt == "page":
                answer, kind = b"<h1>portal</h1>", "text/html"
            elif authority.spoilt == "large":
                answer, kind = bytes(200_000), "application/timestamp-reply"
            elif authority.spoilt == "rubbish":
                answer, kind = b"rubbish", "application/timestamp-reply"
            else:
                answer, kind = authority.answer(query), "application/timestamp-reply"
            self.send_response({"busy": 503, "elsewhere": 302}.get(authority.spoilt, 200))
            if authority.spoilt == "elsewhere":
                self.send_header("Location", "/tsa")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
        finally:
            server.shutdown()
            thread.join()


def _certify(folder: Path, days: tuple[int, int], between: str) -> None:
    """Root, perhaps another below it, and the one that signs stamps, each certified by the last."""
    names = ["Root", *(["Between"] if between else []), "Stamps"]
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
    made: list[bytes] = []
    for place, name in enumerate(names):
        last = name == "Stamps"
        above = max(place - 1, 0)
        now = dt.datetime.now(tz=dt.UTC)
        first, end = days if last else (-100, 100)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(names[above]))
            .public_key(keys[place].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=first))
            .not_valid_after(now + dt.timedelta(days=end))
            .add_extension(
                x509.BasicConstraints(
                    ca=not last and (name, between) != ("Between", "may not"), path_length=None
                ),
                critical=True,
            )
        )
        if last:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            certificate = certificate.add_extension(usage, critical=True)
        if name == "Between" and between != "unsorted":
            # Openssl does not sort them; the longer one comes last.
            long = x509.SubjectAlternativeName([x509.DNSName(f"{'a' * 60}.example.jp")])
            certificate = certificate.add_extension(long, critical=False)
        signed = certificate.sign(keys[above], hashes.SHA256())
        made.append(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "ca.pem").write_bytes(made[0])
    (folder / "between.pem").write_bytes(made[-2])
    (folder / "tsa.pem").write_bytes(made[-1])
    (folder / "tsa.key").write_bytes(
        keys[-1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
