"""Where the story plays: a real service on a free loopback port, with the invented city in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from visitsync import logs, settings
from visitsync.cli.installation import city, first_start
from visitsync.cli.installation.first_start import DevTokens
from visitsync.cli.office_client.handing_in import Desk
from visitsync.cli.story.viewer import Viewer
from visitsync.schema.directory import Directory, Office, Staff
from visitsync.schema.silent import silent
from visitsync.service.context import Context, open_context
from visitsync.web.language import Language
from visitsync.web.serving import served

_LOG: Final = "service.log"


@silent
@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The running service, and ways to act in it as anybody of the city."""

    context: Context
    url: str
    session: aiohttp.ClientSession
    city: Directory
    registrations: Mapping[str, tuple[tuple[str, str], ...]]
    tokens: DevTokens
    language: Language

    def office(self, office_id: str) -> Office:
        """An office of the city."""
        return next(one for one in self.city.office if one.id == office_id)

    def person(self, staff_id: str) -> Staff:
        """A member of staff."""
        return next(one for one in self.city.staff if one.id == staff_id)

    def desk(self, office_id: str) -> Desk:
        """Where an office hands in, with its own token."""
        return Desk(
            session=self.session,
            url=self.url,
            office=office_id,
            token=self.tokens.offices[office_id],
            language=self.language,
        )

    def viewer(self, staff_id: str) -> Viewer:
        """A member of staff with their own token."""
        return Viewer(
            session=self.session,
            url=self.url,
            id=staff_id,
            name=self.person(staff_id).name,
            token=self.tokens.staff[staff_id],
            language=self.language,
        )


@asynccontextmanager
async def stage(
    data_dir: Path, port: int, now: Callable[[], float], language: Language
) -> AsyncIterator[Stage]:
    """Start everything in `data_dir`, and stop it at the end."""
    known = settings.load({}, data_dir=data_dir)
    await first_start.make(known)
    wanted = city.shipped()
    with (data_dir / _LOG).open("a", encoding="ascii") as log:
        logs.set_up(log)
        async with open_context(known) as context:
            await first_start.settle(context)
            issued = first_start.tokens_of(data_dir / first_start.TOKENS)
            async with (
                served(context, "127.0.0.1", port, now) as url,
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as session,
            ):
                yield Stage(
                    context=context,
                    url=url,
                    session=session,
                    city=wanted.directory,
                    registrations=wanted.households,
                    tokens=issued,
                    language=language,
                )
