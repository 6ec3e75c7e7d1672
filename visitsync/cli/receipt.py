"""``visitsync receipt verify``: whether a receipt or certificate is what the city signed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from visitsync.audit import Certificate, Receipt
from visitsync.cli.terminal import output
from visitsync.cli.terminal.receipts import Read, read
from visitsync.cli.terminal.running import spoken
from visitsync.schema.vocabulary import VOCABULARY
from visitsync.web.language import Language

_WORDS: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    resources.files("visitsync.cli.terminal").joinpath("receipts.toml").read_text(encoding="utf-8")
)
_LISTS: Final = {
    "sources": VOCABULARY.programs,
    "recipients": VOCABULARY.roles,
    "purposes": VOCABULARY.purposes,
    "categories": VOCABULARY.categories,
}


@click.group(
    short_help="Check a family's receipt.",
    epilog="Example: visitsync receipt verify receipt.txt --key key.pub",
)
def command() -> None:
    """Receipts that families are given for a consent, a refusal or its withdrawal."""


@command.command(epilog="Example: visitsync receipt verify receipt.txt --key key.pub")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", help="The log's public key, or a file that holds it.")
@click.option("--json", "as_json", is_flag=True, help="Print the finding as JSON.")
def verify(*, file: Path, key: str | None, as_json: bool) -> None:
    """Check FILE, a receipt or a certificate of erasure; needs no database and no server.

    Exit status: 0 it is as it was signed, 1 it is not, 2 it cannot be decided.
    """
    found = read(file.read_bytes(), _key(key))
    language = spoken()
    if as_json:
        said = _WORDS[found.code][language]
        output.as_json({"exit": found.status, "code": found.code, "message": said,
                        "receipt": found.receipt,
                        "certificate": found.certificate})  # fmt: skip
    else:
        for line in _told(found, language):
            click.echo(line, err=found.status != 0)
    raise click.exceptions.Exit(found.status)


def _key(given: str | None) -> str | None:
    if given is None or not Path(given).is_file():
        return given
    return Path(given).read_text(encoding="utf-8", errors="replace").strip()


def _told(found: Read, language: Language) -> Iterator[str]:
    yield _WORDS[found.code][language]
    if found.certificate is not None:
        yield from _of_erasure(found.certificate, language)
    one = found.receipt
    if one is None:
        return
    told = {
        "what": _word(f"{one.effect}_{one.what}", language),
        "effective": _word(f"{'ended' if one.what == 'withdrawn' else one.effective}", language),
        "tenant": one.tenant,
        "directive": one.directive,
        "notice": one.notice,
        **{name: _list(one, name, language) for name in _LISTS},
        "valid": _period(one.valid, language),
        "visits": _period(one.visits, language),
        "at": one.at,
        "log": f"{one.shard} {one.index}",
    }
    for name, value in told.items():
        yield f"  {_word(f'label_{name}', language)}: {value}"


def _of_erasure(one: Certificate, language: Language) -> Iterator[str]:
    told = msgspec.structs.asdict(one)
    told["log"] = _word(f"erased_log_{one.log}", language)
    told["index"] = f"{told.pop('shard')} {one.index}"
    for name, value in told.items():
        yield f"  {_word(f'label_erasure_{name}', language)}: {value}"


def _list(one: Receipt, name: str, language: Language) -> str:
    items = getattr(one, name)
    if items == "*":
        return _word("everything", language)
    return ("、" if language == "ja" else ", ").join(_named(name, item, language) for item in items)


def _named(name: str, item: str, language: Language) -> str:
    """A code in words, beside the ids that stand with it."""
    words: Mapping[str, Any] = _LISTS[name]
    code, at, rest = item.partition("@")
    plain = code.removeprefix("program:").removeprefix("role:")
    if plain not in words:
        return item
    return f"{words[plain][language]}{f' ({rest})' if at else ''}"


def _period(period: tuple[str, str | None], language: Language) -> str:
    start, until = period
    return f"{start} – {_word('open', language) if until is None else until}"


def _word(code: str, language: Language) -> str:
    return _WORDS[code][language]
