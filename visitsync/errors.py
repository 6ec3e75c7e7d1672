"""Every exception of visitsync on one page, grouped by who must act.

An error says where, why and who must act. It never holds a value from a record: what a record said
must not reach a log, a screen of somebody without the right to it, or a bug report.
"""

from __future__ import annotations

from typing import ClassVar


class VisitsyncError(Exception):
    """Something that a named party must mend.

    Attributes:
        code: stable, for programs; never renamed once released.
        where: what it is about, as a path, a setting, an id or a column label; never a value.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message)
        self.where = where


# ── the office must act ───────────────────────────────────────────────────────────────────────────
class OfficeError(VisitsyncError):
    """What an office handed in cannot be taken."""

    code = "not_acceptable"


class UnknownOffice(OfficeError):
    """No office is registered under this id."""

    code = "unknown_office"


class LayoutError(OfficeError):
    """A layout does not say what a layout must say, or none fits the file."""

    code = "bad_layout"


class RecordError(OfficeError):
    """A record breaks the canonical form of a visit report."""

    code = "bad_record"


class RepeatedKey(OfficeError):
    """An idempotency key came a second time with another body."""

    code = "idempotency_key_reused"


# ── the viewer or caller must act ─────────────────────────────────────────────────────────────────
class CallerError(VisitsyncError):
    """What somebody asked cannot be answered as asked."""

    code = "bad_request"


class NotSignedIn(CallerError):
    """No token, or one that is unknown, expired or revoked."""

    code = "not_signed_in"


class NotAllowed(CallerError):
    """The token is good, but not for this."""

    code = "not_allowed"


class UnknownHousehold(CallerError):
    """No such household, or none for this viewer: the same answer."""

    code = "not_found"


class BadParameter(CallerError):
    """A parameter is unknown, repeated, missing or malformed."""

    code = "bad_parameter"


class NotItsMediaType(CallerError):
    """A file's content is not of the media type that is said of it."""

    code = "not_its_media_type"


class NotNow(CallerError):
    """What is recorded stands against it: used, closed, lapsed, not asked, not for who is named.

    Who asks learns something of what is recorded, so it stands in the access log.
    """

    code = "not_now"


class NotProven(CallerError):
    """Who asks did not prove anew who they are."""

    code = "not_proven"


class BadJson(CallerError):
    """What should be strict JSON is not."""

    code = "bad_json"


class BadMultipart(CallerError):
    """Files handed in together do not stand as ``multipart/form-data`` with names."""

    code = "bad_multipart"


class TooLarge(CallerError):
    """A body is larger than this service takes."""

    code = "too_large"


class TooSlow(CallerError):
    """A body did not arrive in time."""

    code = "too_slow"


class UnsupportedMediaType(CallerError):
    """A body is of a type, or compressed in a way, that is not taken.

    Attributes:
        accepted: the types that are.
    """

    code = "unsupported_media_type"

    def __init__(self, message: str, *, where: str, accepted: tuple[str, ...]) -> None:
        super().__init__(message, where=where)
        self.accepted = accepted


class TooManyRequests(CallerError):
    """Asked too often.

    Attributes:
        seconds: until the next request is let through.
    """

    code = "too_many_requests"

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


# ── the operator must act ─────────────────────────────────────────────────────────────────────────
class OperatorError(VisitsyncError):
    """The installation is not as it must be."""

    code = "not_ready"


class SettingsError(OperatorError):
    """A setting is missing, unknown or out of range."""

    code = "bad_setting"


class DirectoryError(OperatorError):
    """The directory file contradicts itself or names something unknown."""

    code = "bad_directory"


class RetentionError(OperatorError):
    """The file with the rules of retention cannot be read, or contradicts itself."""

    code = "bad_retention_rules"


class KeyFileError(OperatorError):
    """The master key file is missing, damaged or readable by others."""

    code = "bad_key_file"


class KeysLeft(OperatorError):
    """Data keys stand under the master key that is to be retired."""

    code = "keys_left"


class BackupError(OperatorError):
    """A backup is partial, damaged, or does not belong here."""

    code = "bad_backup"


class DatabaseUnavailable(OperatorError):
    """The database is locked, full or gone; nothing was changed."""

    code = "database_unavailable"


class ClockOff(OperatorError):
    """A clock is too far off; what is written by it could not be believed."""

    code = "clock_off"


class CommitUnknown(OperatorError):
    """The database went away while it committed: look whether it was done, never retry blindly."""

    code = "commit_unknown"


class SchemaMismatch(OperatorError):
    """The database's schema is older or newer than this release."""

    code = "schema_mismatch"


# ── nobody may go on: something was tampered with ─────────────────────────────────────────────────
class SignerError(OperatorError):
    """The access log's signer cannot remember what it signs, so it signs nothing."""

    code = "signer"


class TombstonesError(OperatorError):
    """The file of what was erased is missing, damaged or cannot be written."""

    code = "tombstones"


class IntegrityError(VisitsyncError):
    """Stored bytes are not what was written. Never answered with data."""

    code = "integrity"


class Tampered(IntegrityError):
    """A sealed record does not open in its place."""

    code = "tampered"


class LogBroken(IntegrityError):
    """The access log does not extend what was signed."""

    code = "log_broken"


class BadNote(LogBroken):
    """A signed note is malformed, or no key that is trusted signed it.

    Attributes:
        reason: ``malformed``, ``ambiguous_key``, ``wrong_signature`` or ``not_signed``.
    """

    code = "bad_note"

    def __init__(self, message: str, *, reason: str, where: str | None = None) -> None:
        super().__init__(message, where=where)
        self.reason = reason


class NotTyped(BadNote):
    """A head that was typed from paper is not as it was printed.

    Attributes:
        reason: ``malformed``, ``word`` (it is in no list), ``count``, ``words`` (one of the 24 is
            another) or ``check`` (the log, the number or the last word is another).
        at: for ``word`` its place, from 1; for ``count`` how many there are.
    """

    code = "not_typed"

    def __init__(self, message: str, *, reason: str, at: int = 0) -> None:
        super().__init__(message, reason=reason, where=f"word {at}" if at else None)
        self.at = at


class BadStamp(BadNote):
    """A time stamp is malformed, of something else, or by nobody who is trusted.

    Attributes:
        reason: ``malformed``, ``refused``, ``imprint``, ``nonce`` or ``untrusted``.
    """

    code = "bad_stamp"
