"""A household's timeline in a terminal: the lanes, then the visits, newest first."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from visitsync.cli.terminal.lanes import OVERLAP, SIGNS, colour_of, lanes
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web.answers import HouseholdTimeline
from visitsync.web.language import Language
from visitsync.web.pages.rendering import TEXTS
from visitsync.web.pages.sheet import Line, Sheet, sheet, spell_day


def show(
    out: Console, timeline: HouseholdTimeline, language: Language, *, most: int | None = None
) -> None:
    """Print `timeline`.

    Args:
        out: where to.
        timeline: what the viewer may see.
        language: of the words.
        most: of the newest entries, where not all are wanted.
    """
    made = sheet(timeline, language)
    texts = TEXTS[language]["timeline"]
    if made.protected:
        out.print(f"{texts['protected']}: {texts['protected_how']}", style="bold red", markup=False)
    if made.people:
        said = [f"{one.name} {one.born}" if one.born else one.name for one in made.people]
        out.print("、".join(said) if language == "ja" else ", ".join(said), markup=False)
    if not made.months and not made.masked:
        out.print(texts["none"])
        return
    out.print(lanes(made.picture, made.masked, made.program_name, language, out.width))
    out.print(_key(made, language))
    if made.months:
        out.print(_table(made, language, most))
    for office in made.masked:
        out.print(f"▒ [bold]{escape(office)}[/bold] {escape(texts['masked_ask'])}")
    for gap in made.gaps:
        out.print(f"╌ {escape(gap)}", style="dim")


def _key(made: Sheet, language: Language) -> Text:
    texts = TEXTS[language]["timeline"]
    signs = {
        SIGNS["done"]: "key_done",
        SIGNS["absent"]: "key_hollow",
        SIGNS["refused"]: "key_refused",
        SIGNS["cancelled"]: "key_cancelled",
    }
    said = [f"{sign} {texts[name]}" for sign, name in signs.items()]
    text = Text("  ".join(said), "dim")
    text.append(f"  {OVERLAP} {texts['key_overlap']}", "yellow")
    if made.masked:
        text.append(f"  ░ {texts['key_masked']}", "dim")
    return text


def _table(made: Sheet, language: Language, most: int | None) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, expand=True)
    heads = ("日付", "時刻", "事業・事業所", "内容", "根拠")
    if language == "en":
        heads = ("date", "time", "program, office", "what", "shown because of")
    for head, ratio in zip(heads, (0, 0, 4, 7, 3), strict=True):
        table.add_column(head, ratio=ratio or None, no_wrap=not ratio, overflow="fold")
    lines = [line for month in made.months for line in month.entries]
    if most is not None:
        lines.sort(key=lambda one: not one.flags)  # what has to be looked at stays in sight
    for line in lines[:most]:
        program = Text(made.program_name(line.program), f"bold {colour_of(line.program)}")
        program.append(f"\n{line.office}", "not bold dim")
        table.add_row(
            spell_day(line.day, language),
            line.times or "–",
            program,
            Text("\n").join(_what(line, language)),
            Text("\n".join(line.why), "dim"),
        )
    if most is not None and len(lines) > most:
        table.add_row("…", "", Text(f"+{len(lines) - most}", "dim"), "", "")
    return table


def _what(line: Line, language: Language) -> Iterator[Text]:
    said = VOCABULARY.outcomes[line.outcome][language]
    yield Text(f"{said} {line.revision}".strip(), "bold" if line.outcome == "done" else "bold red")
    for flag in line.flags:
        yield Text(f"▲ {flag.text}", "yellow")
    if line.rows:
        yield Text(" ・ ".join(f"{row.label}: {row.value}" for row in line.rows))
