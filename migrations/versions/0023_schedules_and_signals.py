"""What starts runs by the clock, with every slot that was due; signals that steps wait for; runs that wait their turn."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NOW = sa.text("now()")


def upgrade() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cron", sa.Text()),
        sa.Column("every", sa.Float()),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("run", JSONB(), nullable=False),
        sa.Column("overlap", sa.Text(), nullable=False),
        sa.Column("catchup", sa.Text(), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("tenant", "name", name=op.f("uq_schedules_tenant_name")),
    )
    op.create_index("ix_schedules_due", "schedules", ["next_at"], postgresql_where=sa.text("not paused"))
    op.create_table(
        "schedule_slots",
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.ForeignKeyConstraint(
            ["schedule_id"], ["schedules.id"], ondelete="CASCADE", name=op.f("fk_schedule_slots_schedule_id")
        ),
        sa.PrimaryKeyConstraint("schedule_id", "slot", name=op.f("pk_schedule_slots")),
    )
    op.create_index(
        "ix_schedule_slots_queued", "schedule_slots", ["slot"], postgresql_where=sa.text("outcome = 'queued'")
    )
    op.create_table(
        "signals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("data", JSONB()),
        sa.Column("woken", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=NOW),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_signals_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signals")),
    )
    op.create_index("ix_signals_tenant_name_id", "signals", ["tenant", "name", "id"])
    op.create_index("ix_signals_run_id", "signals", ["run_id"], postgresql_where=sa.text("run_id is not null"))
    op.add_column("runs", sa.Column("waits_for", sa.Uuid()))
    op.create_index("ix_runs_waits_for", "runs", ["waits_for"], postgresql_where=sa.text("waits_for is not null"))


def downgrade() -> None:
    op.drop_index("ix_runs_waits_for", "runs")
    op.drop_column("runs", "waits_for")
    for table in ("signals", "schedule_slots", "schedules"):
        op.drop_table(table)
