"""Seal and open: record envelopes, the key hierarchy and blind indexes.

Pure but for randomness and the key file. Every failure to open is a `Tampered`; a key file that is
missing, damaged or the wrong one is a `KeyFileError` that says what the operator must do.

    master key (key file, by epoch) → one data key per household and program → records
"""

from visitsync.envelope.context import Context, KeyContext
from visitsync.envelope.index_key import IdKey, IndexKey
from visitsync.envelope.master_keys import MasterKeys, Wrapped
from visitsync.envelope.record import KEY_BYTES, new_data_key, new_salt, open_sealed, seal

__all__ = [
    "KEY_BYTES",
    "Context",
    "IdKey",
    "IndexKey",
    "KeyContext",
    "MasterKeys",
    "Wrapped",
    "new_data_key",
    "new_salt",
    "open_sealed",
    "seal",
]
