"""Dead letters, pausing, forks, and effects that are in doubt."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("tool", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("successor", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_dead_letters_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_tenant_at_id"), "dead_letters", ["tenant", "at", "id"])
    op.create_index(
        "ix_dead_letters_open", "dead_letters", ["tenant", "at", "id"], postgresql_where=sa.text("resolved_at is null")
    )
    op.create_index(op.f("ix_dead_letters_run_id"), "dead_letters", ["run_id"])
    op.add_column("runs", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("runs", sa.Column("forked_from", sa.Uuid(), nullable=True))
    op.add_column("runs", sa.Column("forked_step", sa.Text(), nullable=True))
    op.create_index("ix_runs_forked_from", "runs", ["forked_from"], postgresql_where=sa.text("forked_from is not null"))
    op.add_column("steps", sa.Column("effect_key", sa.Text(), nullable=True))
    op.add_column("steps", sa.Column("unsure", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("steps", sa.Column("reused_from", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_steps_in_doubt", "steps", ["tenant", "ready_at"], postgresql_where=sa.text("status = 'in_doubt'")
    )
    op.execute("drop function if exists lose_step(uuid, text, int, text)")  # it has more parameters now


def downgrade() -> None:
    op.execute("drop function if exists lose_step(uuid, text, int, text, text, jsonb)")
    op.drop_index("ix_steps_in_doubt", table_name="steps")
    for column in ("reused_from", "unsure", "effect_key"):
        op.drop_column("steps", column)
    op.drop_index("ix_runs_forked_from", table_name="runs")
    for column in ("forked_step", "forked_from", "paused_at"):
        op.drop_column("runs", column)
    op.drop_table("dead_letters")
