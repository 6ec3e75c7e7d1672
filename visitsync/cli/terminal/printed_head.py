"""The newest head of the access log for paper: on the terminal, or as a page of A4."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
import jinja2
import segno

from visitsync.audit import WordList, peek_checkpoint, printed_text, words_of
from visitsync.audit.note import split_note
from visitsync.schema.visit import JST

_PAGES: Final = jinja2.Environment(
    loader=jinja2.PackageLoader("visitsync.cli.terminal", "."),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_QUIET: Final = 4
"""The light border that readers of QR codes need, in modules."""


def show(
    note: str,
    language: WordList,
    now: Callable[[], float],
    *,
    html: Path | None = None,
    svg: Path | None = None,
) -> None:
    """Print a signed head, and write the pages that were asked for.

    Raises:
        click.UsageError: a page cannot be written.
    """
    time = dt.datetime.fromtimestamp(now(), JST).strftime("%Y-%m-%d %H:%M JST")
    for file, template in ((html, "printed_head.html"), (svg, "printed_head.svg")):
        if file is not None:
            _write(file, page(template, note, language, time))
    drawn = io.StringIO()
    code(note).terminal(out=drawn, border=_QUIET, compact=True)
    click.echo(printed_text(peek_checkpoint(note), language), nl=False)
    click.echo(f"{time}  {_signer(note)}\n\n{drawn.getvalue()}", nl=False)


def page(template: str, note: str, language: WordList, time: str) -> str:
    """A page of A4 with the words, the note and its QR code; holds no script."""
    head = peek_checkpoint(note)
    drawn = code(note)
    return _PAGES.get_template(template).render(
        head=head,
        words=words_of(head, language),
        note=note,
        time=time,
        signer=_signer(note),
        path=drawn.svg_data_uri(border=_QUIET, scale=4),
        language=language,
    )


def code(note: str) -> segno.QRCode:
    """The QR code of a signed head, to the byte."""
    return segno.make_qr(note, encoding="utf-8", error="m")


def _signer(note: str) -> str:
    """The names of the keys in a note."""
    return ", ".join(name for _, name, _, _ in split_note(note)[1])


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError:
        raise click.UsageError(
            f"{file} cannot be written; name a file that you may write."
        ) from None
