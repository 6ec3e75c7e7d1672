"""Erasing a household: who asked and decided, what holds it up, and tombstones of what is gone.

The release before runs on this schema until something was erased. The database itself refuses to
bring a key of an erased household back, and lets rows that only grow be deleted for one only.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ERASABLE = ("fact", "proposal", "invocation_request", "evidence")
_ONLY_ADDED = ("tombstone", "erased_registration")
_NEW = ("hold", "erasure", "erased_registration", "tombstone")
_SAYS_BY_WHAT = (
    "household = NEW.household AND (what = 'log') = (NEW.kind = 'log' AND NEW.program = '')"
)
_STANDS = f"EXISTS (SELECT 1 FROM tombstone WHERE {_SAYS_BY_WHAT})"  # noqa: S608 -- our own words
_COMES_BACK = f"NEW.wrapped IS NOT NULL AND {_STANDS}"
_REVIVED = "OLD.state = 'destroyed' AND (NEW.state <> 'destroyed' OR NEW.wrapped IS NOT NULL)"
_NOT_ERASED = "NOT EXISTS (SELECT 1 FROM tombstone WHERE household = OLD.household)"
_ON_KEYS = (
    ("insert", _COMES_BACK),
    ("update", f"({_COMES_BACK}) OR ({_REVIVED})"),
    ("delete", "OLD.state = 'destroyed'"),
)


def upgrade() -> None:
    """Add the tables, and what the database refuses."""
    _add_tables()
    if op.get_bind().dialect.name == "postgresql":
        _refuse_on_postgresql()
    else:
        _refuse_on_sqlite()


def _add_tables() -> None:
    op.create_table(
        "tombstone",
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("erasure", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entries", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("household", "what", name=op.f("tombstone_pk")),
    )
    op.create_table(
        "erased_registration",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("erased_registration_pk")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("due_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("erasure_pk")),
    )
    op.create_index("erasure_household_idx", "erasure", ["household"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lift_asked_by", sa.Text(), nullable=True),
        sa.Column("lift_asked_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("hold_pk")),
    )
    op.create_index("hold_household_idx", "hold", ["household"], unique=False)


def _refuse_on_postgresql() -> None:
    for table in _ONLY_ADDED:
        _trigger(f"{table}_append_only", f"UPDATE OR DELETE OR TRUNCATE ON {table}", "STATEMENT")
    for table in _ERASABLE:
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
        _trigger(f"{table}_append_only", f"{_kept(table)}TRUNCATE ON {table}", "STATEMENT")
        _function(f"visitsync_keep_{table}", _NOT_ERASED, "OLD")
        _trigger(f"{table}_kept", f"DELETE ON {table}", "ROW", f"visitsync_keep_{table}")
    for change, wrong in _ON_KEYS:
        _function(f"visitsync_key_{change}", wrong, "OLD" if change == "delete" else "NEW")
        name = f"data_key_{change}_refused"
        _trigger(name, f"{change.upper()} ON data_key", "ROW", f"visitsync_key_{change}")


def _kept(table: str) -> str:
    """Evidence is sealed anew: a trigger of its own refuses any other change of it."""
    return "" if table == "evidence" else "UPDATE OR "


def _function(name: str, wrong: str, row: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {wrong} THEN RAISE EXCEPTION 'erased'; END IF; RETURN {row}; END $$"
    )


def _trigger(name: str, what: str, each: str, function: str = "visitsync_refuse") -> None:
    op.execute(f"CREATE TRIGGER {name} BEFORE {what} FOR EACH {each} EXECUTE FUNCTION {function}()")


def _refuse_on_sqlite() -> None:
    for table in _ONLY_ADDED:
        for change in ("update", "delete"):
            _abort(f"{table}_no_{change}", f"{change.upper()} ON {table}")
    for table in _ERASABLE:
        op.execute(f"DROP TRIGGER {table}_no_delete")
        _abort(f"{table}_no_delete", f"DELETE ON {table}", _NOT_ERASED)
    for change, wrong in _ON_KEYS:
        _abort(f"data_key_{change}_refused", f"{change.upper()} ON data_key", wrong)


def _abort(name: str, what: str, wrong: str = "1") -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE {what} WHEN {wrong} "
        "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    )


def downgrade() -> None:
    """Drop them while nothing was ever erased, asked for or held.

    Raises:
        RuntimeError: something was; the release before would forget it.
    """
    for table in _NEW:
        one = sa.select(sa.text("1")).select_from(sa.table(table))
        if op.get_bind().execute(sa.select(sa.exists(one))).scalar_one():
            raise RuntimeError("Erasures or holds stand here; the release before forgets them")
    if op.get_bind().dialect.name == "postgresql":
        for change, _ in _ON_KEYS:
            op.execute(f"DROP TRIGGER data_key_{change}_refused ON data_key")
            op.execute(f"DROP FUNCTION visitsync_key_{change}()")
        for table in _ERASABLE:
            for name in ("kept", "append_only"):
                op.execute(f"DROP TRIGGER {table}_{name} ON {table}")
            op.execute(f"DROP FUNCTION visitsync_keep_{table}()")
            changes = f"{_kept(table)}DELETE OR TRUNCATE ON {table}"
            _trigger(f"{table}_append_only", changes, "STATEMENT")
    else:
        for change, _ in _ON_KEYS:
            op.execute(f"DROP TRIGGER data_key_{change}_refused")
        for table in _ERASABLE:
            op.execute(f"DROP TRIGGER {table}_no_delete")
            _abort(f"{table}_no_delete", f"DELETE ON {table}")
    for table in _NEW:
        op.drop_table(table)
