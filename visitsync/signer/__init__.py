"""The log's signer: signs a head only if it extends the last one it signed, and remembers that."""

from visitsync.signer.extension import Extension, Signed
from visitsync.signer.interface import LogSigner
from visitsync.signer.remote import RemoteSigner
from visitsync.signer.signing import Signer

__all__ = ["Extension", "LogSigner", "RemoteSigner", "Signed", "Signer"]
