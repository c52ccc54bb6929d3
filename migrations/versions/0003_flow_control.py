"""Flow control: limits per key, the line of steps that wait at one, and a run's priority."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "flow_keys",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=True),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("period", sa.Double(), nullable=True),
        sa.Column("paused", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("starts", sa.ARRAY(sa.DateTime(timezone=True)), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("virtual_time", sa.Double(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(rate is null) = (period is null)", name=op.f("ck_flow_keys_rate_has_period")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_flow_keys")),
    )
    op.create_table(
        "flow_waits",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("turn", sa.Double(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "step_id", name=op.f("pk_flow_waits")),
    )
    op.create_index(
        "ix_flow_waits_line",
        "flow_waits",
        ["name", "priority", "turn"],
        postgresql_where=sa.text("granted_at is null"),
    )
    op.create_index("ix_flow_waits_tenant", "flow_waits", ["name", "tenant", "turn"])
    op.add_column("runs", sa.Column("priority", sa.SmallInteger(), server_default=sa.text("3"), nullable=False))
    op.create_check_constraint(op.f("ck_runs_priority"), "runs", "priority between 1 and 5")
    op.add_column("steps", sa.Column("flow", sa.Text(), nullable=True))
    op.add_column("steps", sa.Column("flow_keys", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.create_index(
        "ix_steps_flow", "steps", ["run_id"], postgresql_where=sa.text("status = 'running' and flow_keys <> '{}'")
    )


def downgrade() -> None:
    op.drop_index("ix_steps_flow", table_name="steps")
    for column in ("flow_keys", "flow"):
        op.drop_column("steps", column)
    op.drop_column("runs", "priority")
    op.execute("drop table flow_waits, flow_keys cascade")  # with the functions that take a row of them
