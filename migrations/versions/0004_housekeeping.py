"""Housekeeping: indexes for retention and for runs by status, and how the hot tables are vacuumed and filled."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A run is updated at every step's end, mostly in columns without an index: room on its page keeps that update there
# (HOT). Hot tables are vacuumed after a fixed small share of dead rows, so that what is alive stays quick to find in
# the midst of a long history; tiny, busy ones after a fixed number.
STORAGE = {
    "runs": {"fillfactor": 60, "autovacuum_vacuum_scale_factor": 0.02, "autovacuum_analyze_scale_factor": 0.02},
    "steps": {
        "fillfactor": 80,
        "autovacuum_vacuum_scale_factor": 0.02,
        "autovacuum_analyze_scale_factor": 0.02,
        "autovacuum_vacuum_cost_limit": 1000,
    },
    "events": {"autovacuum_vacuum_insert_scale_factor": 0.05, "autovacuum_analyze_scale_factor": 0.05},
    "attempts": {"autovacuum_vacuum_insert_scale_factor": 0.05, "autovacuum_analyze_scale_factor": 0.05},
    "workers": {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 200},
    "flow_keys": {"fillfactor": 50, "autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 200},
    "flow_waits": {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 500},
}


def upgrade() -> None:
    op.create_index("ix_runs_ended", "runs", ["tenant", "finished_at"], postgresql_where=sa.text("phase is null"))
    op.create_index(op.f("ix_runs_tenant_status_created_at_id"), "runs", ["tenant", "status", "created_at", "id"])
    for table, parameters in STORAGE.items():
        settings = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        op.execute(f"alter table {table} set ({settings})")


def downgrade() -> None:
    for table, parameters in STORAGE.items():
        op.execute(f"alter table {table} reset ({', '.join(parameters)})")
    op.drop_index("ix_runs_tenant_status_created_at_id", table_name="runs")
    op.drop_index("ix_runs_ended", table_name="runs")
