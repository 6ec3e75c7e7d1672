"""Who asks, as the service knows them: never what a request says about itself."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from visitsync.errors import NotAllowed, NotSignedIn
from visitsync.schema.silent import Struct

Scope: TypeAlias = Literal["submit", "read", "record", "audit", "operate"]

SCOPES: Final[dict[Scope, str]] = {
    "submit": "hand in the visits of one office",
    "read": "search households and see timelines, as one member of staff",
    "record": "record what families decide and what protects them, as one member of staff",
    "audit": "export and check the access log",
    "operate": "keep the directory, tokens and directives",
}
"""What a token can be good for."""


class Caller(Struct, frozen=True, kw_only=True):
    """A checked identity and what it may do."""

    kind: Literal["office", "staff", "operator"]
    id: str
    """Of the office or member of staff as in the directory; an operator's name at the host."""
    scopes: frozenset[str]
    by: str | None = None
    """Somebody at the host's shell who acts in their place; stands in the log beside them."""
    token: str | None = None
    """The id of the token it came with."""
    token_epoch: int = 0
    """Of that token when it was looked at; it moves when the token is revoked."""
    expires_at: int | None = None
    """When the token does, in microseconds since 1970."""
    request: str = ""
    """The id of the request, for finding it again in the service's own log."""
    address: str | None = None
    """The client's network address; goes into the sealed part of the access log only."""

    @classmethod
    def operator(cls, name: str) -> Caller:
        """Somebody at the host's own shell, who holds the key file anyway."""
        return cls(kind="operator", id=name, scopes=frozenset(SCOPES))

    @classmethod
    def as_staff(cls, staff: str, operator: str) -> Caller:
        """Somebody at the host's own shell who looks as a member of staff would."""
        return cls(kind="staff", id=staff, scopes=frozenset({"read"}), by=f"operator:{operator}")

    def still(self, token_epoch: int, now: int) -> None:
        """Go on only if the token has been neither revoked nor expired since it was looked at.

        Raises:
            NotSignedIn: where it has.
        """
        ended = self.expires_at is not None and now >= self.expires_at
        if self.token is not None and (ended or token_epoch != self.token_epoch):
            raise NotSignedIn("The token has expired or was revoked; ask the operator for another")

    def must(self, scope: Scope) -> None:
        """Go on only if the token is good for `scope`.

        Raises:
            NotAllowed: where it is not.
        """
        if scope not in self.scopes:
            raise NotAllowed("This token is not good for that; ask the operator for another one")
