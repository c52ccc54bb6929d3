"""Runs that runs have delegated work to; signals that are sent once however often they are repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

LIVE = "ended_at is null and not detached"


def upgrade() -> None:
    op.create_table(
        "delegations",
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("detached", sa.Boolean(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["child_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_delegations_child_id")),
        sa.PrimaryKeyConstraint("child_id", name=op.f("pk_delegations")),
        sa.UniqueConstraint("team", "place", "number", name=op.f("uq_delegations_team_place_number")),
    )
    op.create_index(op.f("ix_delegations_parent_id"), "delegations", ["parent_id"])
    op.create_index(op.f("ix_delegations_root_id"), "delegations", ["root_id"])
    op.create_index("ix_delegations_live", "delegations", ["child_id"], postgresql_where=sa.text(LIVE))
    op.add_column("signals", sa.Column("key", sa.Text()))
    op.create_unique_constraint(op.f("uq_signals_tenant_key"), "signals", ["tenant", "key"])


def downgrade() -> None:
    op.drop_constraint(op.f("uq_signals_tenant_key"), "signals")
    op.drop_column("signals", "key")
    op.drop_table("delegations")
