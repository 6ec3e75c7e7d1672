"""Third act: the access log is exported, verified, and tampered with."""

from __future__ import annotations

import datetime as dt

from rich.text import Text

from visitsync.audit import Verdict, verify_bundle
from visitsync.cli.installation.at_hand import operator
from visitsync.cli.story.narrator import Narrator
from visitsync.cli.story.stage import Stage
from visitsync.cli.story.tampering import WAYS
from visitsync.errors import LogBroken
from visitsync.service import access_log

_YEAR: tuple[dt.date, dt.date] = (dt.date(2000, 1, 1), dt.date(2100, 1, 1))


async def checked(stage: Stage, narrator: Narrator, older: str) -> None:
    """Verify the log as an auditor would, then see that tampering is caught.

    Args:
        stage: where it plays.
        narrator: who tells it.
        older: a checkpoint kept from before.

    Raises:
        LogBroken: the log does not verify, or tampering was not caught.
    """
    narrator.chapter("log")
    pieces = await access_log.export(stage.context, operator(), *_YEAR)
    bundle = b"".join([piece async for piece in pieces])
    key = access_log.public_key(stage.context)
    verdict = verify_bundle(bundle, key, older)
    narrator.say("log_exported", entries=verdict.entries)
    _show(narrator, "green", verdict)
    if verdict.exit_code != 0:
        raise LogBroken("The access log does not verify; keep it and tell the authors")
    narrator.say("log_tampered")
    for name, tamper in WAYS.items():
        found = verify_bundle(tamper(bundle), key, older)
        caught = found.exit_code == 1
        line = Text.assemble(
            (f"  {narrator.word('caught' if caught else 'not_caught')} ", "bold red"),
            (narrator.word(name), ""),
        )
        narrator.print(line)
        _show(narrator, "red", found)
        if not caught:
            raise LogBroken("Tampering was not caught; tell the authors")


def _show(narrator: Narrator, colour: str, verdict: Verdict) -> None:
    grave = [one for one in verdict.findings if one.level == "tampering"]
    for one in grave[:1] or verdict.findings:
        sign = "✗" if grave else "✓"
        narrator.print(Text(f"    {sign} {one.sentence(narrator.language)}", colour))
