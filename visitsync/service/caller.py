"""Who asks, as the service knows them: never what a request says about itself."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from visitsync.errors import NotAllowed

Scope: TypeAlias = Literal["submit", "read", "audit", "operate"]

SCOPES: Final[dict[Scope, str]] = {
    "submit": "hand in the visits of one office",
    "read": "search households and see timelines, as one member of staff",
    "audit": "export and check the access log",
    "operate": "keep the directory, tokens and directives",
}
"""What a token can be good for."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A checked identity and what it may do."""

    kind: Literal["office", "staff", "operator"]
    id: str
    """Of the office or member of staff as in the directory; an operator's name at the host."""
    scopes: frozenset[str]
    token: str | None = None
    """The id of the token it came with; looked at again when what was asked is logged."""
    request: str = ""
    """The id of the request, for finding it again in the service's own log."""
    address: str | None = None
    """The client's network address; goes into the sealed part of the access log only."""

    @classmethod
    def operator(cls, name: str) -> Caller:
        """Somebody at the host's own shell, who holds the key file anyway."""
        return cls(kind="operator", id=name, scopes=frozenset(SCOPES))

    def must(self, scope: Scope) -> None:
        """Go on only if the token is good for `scope`.

        Raises:
            NotAllowed: where it is not.
        """
        if scope not in self.scopes:
            raise NotAllowed("This token is not good for that; ask the operator for another one")
