"""Somebody of the city who looks, over HTTP like any browser or system."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
import msgspec

from visitsync.schema.silent import silent
from visitsync.service.views import Found
from visitsync.web.answers import HouseholdTimeline
from visitsync.web.language import Language
from visitsync.web.openapi import ProblemDocument


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Somebody who looks.

    Attributes:
        session: of aiohttp.
        url: of the service.
        id: in the directory.
        name: for the story.
        token: of theirs.
        language: of the answers' texts.
    """

    session: aiohttp.ClientSession
    url: str
    id: str
    name: str
    token: str
    language: Language

    async def look(
        self, household: str, purpose: str
    ) -> tuple[HouseholdTimeline | ProblemDocument, bytes]:
        """Ask for a household's timeline; answers it or the problem, and the bytes of either."""
        address = f"{self.url}/api/v1/households/{household}/timeline"
        async with self.session.get(
            address, params={"purpose": purpose}, headers=self._headers()
        ) as response:
            body = await response.read()
            if response.status == 200:  # noqa: PLR2004 -- found
                return msgspec.json.decode(body, type=HouseholdTimeline), body
            return msgspec.json.decode(body, type=ProblemDocument), body

    async def find(self, case_no: str, purpose: str) -> str:
        """The household of a case number.

        Raises:
            LookupError: none was found.
        """
        async with self.session.post(
            f"{self.url}/api/v1/households/search",
            json={"purpose": purpose, "case_no": case_no},
            headers=self._headers(),
        ) as response:
            found = msgspec.json.decode(await response.read(), type=Found)
        if not found.households:
            raise LookupError
        return found.households[0].household

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language}
