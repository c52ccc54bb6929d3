"""Webhooks out and in, and what callers ask of the start of a run."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("labels", JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("description", sa.Text()),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("former_secret", sa.LargeBinary()),
        sa.Column("former_until", TIME),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("paused_because", sa.Text()),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
    )
    op.create_index("ix_webhooks_tenant", "webhooks", ["tenant"])
    op.create_table(
        "triggers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("start", JSONB(), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triggers")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_triggers_tenant_name")),
    )
    op.create_table(
        "trigger_calls",
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.ForeignKeyConstraint(
            ["trigger_id"], ["triggers.id"], ondelete="CASCADE", name=op.f("fk_trigger_calls_trigger_id")
        ),
        sa.PrimaryKeyConstraint("trigger_id", "message_id", name=op.f("pk_trigger_calls")),
    )
    op.create_index("ix_trigger_calls_at", "trigger_calls", ["at"])
    op.create_table(
        "submissions",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("begin_by", TIME),
        sa.Column("coalesce_key", sa.Text()),
        sa.Column("coalesce_since", TIME),
        sa.Column("coalesced", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("callbacks", JSONB()),
        sa.Column("told_seq", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_submissions_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_submissions")),
    )
    for name, columns, where in (
        ("begin_by", ["begin_by"], "begin_by is not null"),
        ("coalesce", ["tenant", "coalesce_key"], "coalesce_key is not null"),
        ("step_callbacks", ["run_id"], "callbacks ? 'step'"),
    ):
        op.create_index(f"ix_submissions_{name}", "submissions", columns, postgresql_where=sa.text(where))
    op.add_column("runs", sa.Column("held_until", TIME))
    op.create_index(
        "ix_runs_held", "runs", ["held_until"], postgresql_where=sa.text("held_until is not null and phase is not null")
    )


def downgrade() -> None:
    op.execute("drop trigger if exists events_are_told on events")
    op.drop_index("ix_runs_held", "runs")
    op.drop_column("runs", "held_until")
    for table in ("submissions", "trigger_calls", "triggers", "webhooks"):
        op.drop_table(table)
