"""Budgets with what is spent and reserved, the calls of models, agents; what a run draws on and by when it must end."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

NOTHING = sa.text("'{}'")
NOW = sa.text("now()")


def upgrade() -> None:
    op.add_column("runs", sa.Column("accounts", ARRAY(sa.Text()), nullable=False, server_default=NOTHING))
    op.add_column("runs", sa.Column("profile", JSONB()))
    op.add_column("runs", sa.Column("paused_because", sa.Text()))
    op.add_column("runs", sa.Column("deadline", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_runs_deadline", "runs", ["deadline"], postgresql_where=sa.text("deadline is not null and phase is not null")
    )
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("limits", JSONB(), nullable=False),
        sa.Column("on_exceed", sa.Text(), nullable=False),
        sa.Column("spent", JSONB(), nullable=False, server_default=NOTHING),
        sa.Column("reserved", JSONB(), nullable=False, server_default=NOTHING),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("tenant", "account", name=op.f("pk_budgets")),
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("accounts", ARRAY(sa.Text()), nullable=False),
        sa.Column("amounts", JSONB(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_expires_at", "reservations", ["expires_at"])
    op.create_table(
        "model_calls",
        sa.Column("id", sa.Uuid(), nullable=False, server_default=sa.text("gen_random_uuid()")),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("holder", sa.Text()),
        sa.Column("agent", sa.Text()),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("cached_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Numeric()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_calls")),
    )
    op.create_index("ix_model_calls_tenant_at", "model_calls", ["tenant", "at"])
    op.create_index("ix_model_calls_run_id", "model_calls", ["run_id"])
    op.create_table(
        "agents",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("instructions", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("tools", ARRAY(sa.Text())),
        sa.Column("budget", JSONB(none_as_null=True)),
        sa.Column("memory", sa.Text(), nullable=False, server_default=sa.text("'user'")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("pk_agents")),
    )


def downgrade() -> None:
    for table in ("agents", "model_calls", "reservations", "budgets"):
        op.drop_table(table)
    op.drop_index("ix_runs_deadline", "runs")
    for column in ("deadline", "paused_because", "profile", "accounts"):
        op.drop_column("runs", column)
