"""The log's signer: signs a head only if it extends the last one it signed, and remembers that.

Beside its memory stands what was erased: neither is ever put back with a database.
"""

from visitsync.signer.extension import Extension, Signed
from visitsync.signer.interface import LogSigner
from visitsync.signer.remote import RemoteSigner
from visitsync.signer.signing import Signer
from visitsync.signer.tombstones import Tombstone, Tombstones

__all__ = [
    "Extension",
    "LogSigner",
    "RemoteSigner",
    "Signed",
    "Signer",
    "Tombstone",
    "Tombstones",
]
