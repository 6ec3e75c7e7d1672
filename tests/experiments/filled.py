"""Every type of the package, and one of each with a canary wherever it could hold a word."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import datetime as dt
import enum
import importlib
import inspect
import pkgutil
import types
import typing
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import msgspec

import visitsync

CANARY: Final = "KANARI 架空 花子"
MARKS: Final = ("KANARI", "架空", b"KANARI".hex(), "4b414e41", "S0FOQVJJ", "S0FO", "\\u67b6")
"""The canary as it is, in hexadecimal, in Base64 and escaped; the first bytes are enough."""

_DEEPEST: Final = 4
_WORDLESS: Final[dict[object, object]] = {
    bool: True,
    int: 7,
    float: 7.0,
    dt.date: dt.date(2026, 4, 1),
    dt.time: dt.time(10, 30),
    dt.datetime: dt.datetime(2026, 4, 1, tzinfo=dt.UTC),
    dt.timedelta: dt.timedelta(days=1),
    types.NoneType: None,
}
_WORDS: Final[dict[object, object]] = {
    str: CANARY,
    bytes: CANARY.encode(),
    bytearray: bytearray(CANARY.encode()),
    memoryview: CANARY.encode(),
    msgspec.Raw: msgspec.Raw(msgspec.json.encode(CANARY)),
}


class Foreign:
    """In the place of what is not ours: a library's object, a function, anything at all."""

    def __repr__(self) -> str:
        return CANARY

    def __getattr__(self, name: str) -> Foreign:
        if name.startswith("__"):
            raise AttributeError
        return self

    def __call__(self, *_: object, **__: object) -> Foreign:
        return self

    def __getitem__(self, _: object) -> Foreign:
        return self

    def __iter__(self) -> Iterator[Foreign]:
        yield Foreign()

    def __len__(self) -> int:
        return 1

    def __or__(self, _: object) -> tuple[Foreign, ...]:
        return (self,)


def every_type() -> list[type]:
    """Structs, dataclasses, named tuples, and plain classes that keep what they are given."""
    found = []
    for one in pkgutil.walk_packages(visitsync.__path__, "visitsync."):
        if one.name.rpartition(".")[2] == "__main__":
            continue
        module = importlib.import_module(one.name)
        found += [
            kind
            for kind in vars(module).values()
            if inspect.isclass(kind) and kind.__module__ == module.__name__ and members_of(kind)
        ]
    return found


def members_of(kind: type) -> tuple[str, ...]:
    """What one of them keeps; nothing for errors, enumerations and protocols."""
    if issubclass(kind, BaseException | enum.Enum) or getattr(kind, "_is_protocol", False):
        return ()
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(one.name for one in dataclasses.fields(kind))
    if issubclass(kind, tuple):
        return tuple(getattr(kind, "_fields", ()))
    return tuple(_kept(kind))


def _kept(kind: type) -> Iterator[str]:
    """The names a plain class sets on itself in its making, read from its code."""
    slots = getattr(kind, "__slots__", ())
    yield from (slots,) if isinstance(slots, str) else slots
    made = kind.__dict__.get("__init__")
    if inspect.isfunction(made):
        yield from (name for name in made.__code__.co_names if name.startswith("_"))


def filled(kind: Any, deep: int = 0) -> Any:
    """One of `kind` with a canary in every member that can hold text or bytes."""
    hints = typing.get_type_hints(kind)
    values = {name: value_of(hints.get(name, Any), deep + 1) for name in members_of(kind)}
    if issubclass(kind, msgspec.Struct):
        return _struct(kind, values)
    if issubclass(kind, tuple):
        return tuple.__new__(kind, values.values())
    one = kind.__new__(kind)
    for name, value in values.items():
        try:
            object.__setattr__(one, name, value)
        except AttributeError:  # a name that is called in its making, and kept nowhere
            continue
    return one


def _struct(kind: Any, values: dict[str, Any]) -> Any:
    """One whose own checks were not asked; a struct cannot be made in another way."""
    unchecked: Callable[..., Any] = msgspec.defstruct(
        kind.__name__, [], bases=(kind,), namespace={"__post_init__": lambda _: None}
    )
    return unchecked(**values)


def value_of(hint: Any, deep: int) -> Any:  # noqa: PLR0911 -- one for each form of an annotation
    """What an annotation allows, with as many words in it as it can hold."""
    if isinstance(hint, typing.NewType):
        return value_of(hint.__supertype__, deep)
    if hint in _WORDLESS:
        return _WORDLESS[hint]
    if hint in _WORDS:
        return _WORDS[hint]
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return inside[0]
    if origin in {typing.Annotated, typing.Final, typing.ClassVar}:
        return value_of(inside[0], deep)
    if origin in {typing.Union, types.UnionType}:
        return value_of(_wordiest(inside), deep)
    if inspect.isclass(origin) and issubclass(origin, collections.abc.Iterable):
        return _container(origin, inside, deep)
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return next(iter(hint))
    if inspect.isclass(hint) and hint.__module__.startswith("visitsync") and members_of(hint):
        return filled(hint, deep) if deep < _DEEPEST else Foreign()
    return Foreign()


def _wordiest(kinds: tuple[Any, ...]) -> Any:
    def words(kind: Any) -> int:
        if kind in _WORDLESS:
            return 0
        return 2 if kind in _WORDS or isinstance(kind, typing.NewType) else 1

    return max(kinds, key=words)


def _container(origin: type, inside: tuple[Any, ...], deep: int) -> Any:
    values = [value_of(one, deep) for one in inside or (str, str) if one is not Ellipsis]
    if issubclass(origin, collections.Counter):
        return collections.Counter(values)
    if issubclass(origin, collections.abc.Mapping):
        return types.MappingProxyType({values[0]: values[1]})
    if issubclass(origin, collections.abc.Set):
        return frozenset(values)
    return values if issubclass(origin, list) else tuple(values)
