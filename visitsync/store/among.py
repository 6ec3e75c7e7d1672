"""``column IN (many values)`` as one parameter, however many values there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine


class Texts(TypeDecorator[list[str]]):
    """A list of texts: an array on PostgreSQL, JSON on SQLite."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the driver is given."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(sa.Text))
        return dialect.type_descriptor(sa.Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:  # noqa: ANN401 -- by dialect
        """The list as the driver takes it."""
        if value is None or dialect.name == "postgresql":
            return value
        return msgspec.json.encode(value).decode()


class Among(ColumnElement[bool]):
    """Whether a column's value is one of a list."""

    inherit_cache = True
    type = sa.Boolean()
    _traverse_internals = [  # noqa: RUF012 -- sqlalchemy's name for what makes up its cache key
        ("column", sa.sql.visitors.InternalTraversal.dp_clauseelement),
        ("values", sa.sql.visitors.InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: ColumnElement[str], values: ColumnElement[Any]) -> None:
        self.column = column
        self.values = values

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 -- sqlalchemy's
        """Itself: sqlalchemy would add ``= 1`` on SQLite, which then reads the whole table."""
        return self


@compiles(Among, "postgresql")
def _on_postgresql(element: Among, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 -- sqlalchemy's
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} = ANY ({values})"


@compiles(Among, "sqlite")
def _on_sqlite(element: Among, compiler: SQLCompiler, **kw: Any) -> str:  # noqa: ANN401 -- sqlalchemy's
    column, values = compiler.process(element.column, **kw), compiler.process(element.values, **kw)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 -- compiled parts


def among(column: ColumnElement[str], values: Iterable[str]) -> Among:
    """Whether `column` is one of `values`; an empty list is never matched."""
    return Among(column, sa.bindparam(None, list(values), type_=Texts()))


def among_given(column: ColumnElement[str], name: str) -> Among:
    """Whether `column` is one of those given under `name` when the statement is run."""
    return Among(column, sa.bindparam(name, type_=Texts()))
