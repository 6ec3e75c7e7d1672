"""What a service asks of the log's signer, wherever it is."""

from __future__ import annotations

from typing import Protocol

from visitsync.audit import Certificate, Receipt
from visitsync.signer.extension import Extension, Signed


class LogSigner(Protocol):
    """The signer of one log; in this process, or in one of its own."""

    @property
    def vkey(self) -> str:
        """The public key."""

    def signed(self) -> Signed | None:
        """See `Signer.signed`."""

    def extend(self, asked: Extension) -> Signed | None:
        """See `Signer.extend`."""

    def receipt(self, told: Receipt) -> str:
        """See `Signer.receipt`."""

    def certificate(self, told: Certificate) -> str:
        """See `Signer.certificate`."""

    def manifest(self, told: str) -> str:
        """See `Signer.manifest`."""
