"""Data keys have versions, each sealed row says which one sealed it, and index terms have epochs.

What is there stands under the first version and the first epoch. Evidence stays append-only but for
one change: sealed anew under a higher version.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SEALED: Final = ("visit", "registration", "evidence", "staff", "submission", "log_entry")
_INDEXED: Final = ("visit", "registration", "evidence", "submission")
_PLACE: Final = ("household", "program", "kind")


def upgrade() -> None:
    """Add versions and epochs, and what a rotation that is under way remembers."""
    _version_data_keys()
    for table in _SEALED:
        op.add_column(table, _first("key_version"))
    for table in _INDEXED:
        op.create_index(f"{table}_key_version_idx", table, ["key_version"])
    made = op.create_table(
        "index_key",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("token_bits", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("added_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("index_key_pk")),
    )
    known = sa.table(
        "installation", sa.column("token_bits", sa.BigInteger), sa.column("created_at")
    )
    # Its id is known to the key file alone; the command that migrates writes it.
    first = sa.select(sa.literal(1), sa.literal(""), known.c.token_bits, known.c.created_at)
    op.execute(sa.insert(made).from_select(["epoch", "key_id", "token_bits", "added_at"], first))
    with op.batch_alter_table("index_term") as terms:
        terms.add_column(_first("epoch"))
        terms.create_foreign_key("index_term_epoch_fk", "index_key", ["epoch"], ["epoch"])
    op.create_index("index_term_epoch_idx", "index_term", ["epoch", "registration"])
    op.create_table(
        "key_rotation",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=True),
        sa.Column("began_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("key_rotation_pk")),
    )
    _guard_evidence(anew=True)


def downgrade() -> None:
    """Take versions and epochs away, where there is only the first of each.

    Raises:
        RuntimeError: keys were rotated; the release before could not open what stands here.
    """
    bind = op.get_bind()
    for what in ("data_key WHERE version > 1", "index_key WHERE epoch > 1", "key_rotation"):
        if bind.execute(sa.text(f"SELECT count(*) FROM {what}")).scalar_one():  # noqa: S608 -- ours
            raise RuntimeError("Data or index keys were rotated; put a backup from before back")
    _guard_evidence(anew=False)
    op.drop_table("key_rotation")
    op.drop_index("index_term_epoch_idx", "index_term")
    with op.batch_alter_table("index_term") as terms:
        terms.drop_constraint("index_term_epoch_fk", type_="foreignkey")
        terms.drop_column("epoch")
    op.drop_table("index_key")
    for table in _INDEXED:
        op.drop_index(f"{table}_key_version_idx", table)
    for table in _SEALED:
        op.drop_column(table, "key_version")
    with op.batch_alter_table("data_key") as keys:
        keys.drop_constraint("data_key_pk", type_="primary")
        keys.drop_column("version")
        keys.drop_column("made_at")
        keys.create_primary_key("data_key_pk", [*_PLACE])


def _version_data_keys() -> None:
    with op.batch_alter_table("data_key") as keys:
        keys.add_column(_first("version"))
        keys.add_column(
            sa.Column("made_at", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
        keys.drop_constraint("data_key_pk", type_="primary")
        keys.create_primary_key("data_key_pk", [*_PLACE, "version"])


def _first(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("1"))


def _guard_evidence(*, anew: bool) -> None:
    """Have the database refuse every change of evidence, or every other one than sealing anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER evidence_append_only ON evidence")
        if not anew:
            op.execute("DROP TRIGGER evidence_no_update ON evidence")
        changes = "DELETE OR TRUNCATE" if anew else "UPDATE OR DELETE OR TRUNCATE"
        op.execute(
            f"CREATE TRIGGER evidence_append_only BEFORE {changes} ON evidence "
            "FOR EACH STATEMENT EXECUTE FUNCTION visitsync_refuse()"
        )
        if anew:
            op.execute(
                "CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence FOR EACH ROW WHEN "
                "(NEW.key_version <= OLD.key_version OR "
                "(NEW.directive, NEW.household, NEW.recorded_at, NEW.kind) IS DISTINCT FROM "
                "(OLD.directive, OLD.household, OLD.recorded_at, OLD.kind)) "
                "EXECUTE FUNCTION visitsync_refuse()"
            )
        return
    op.execute("DROP TRIGGER evidence_no_update")
    when = (
        "WHEN NEW.key_version <= OLD.key_version OR NEW.directive <> OLD.directive OR "
        "NEW.household <> OLD.household OR NEW.recorded_at <> OLD.recorded_at OR "
        "NEW.kind <> OLD.kind "
    )
    op.execute(
        f"CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence {when if anew else ''}"
        "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    )
