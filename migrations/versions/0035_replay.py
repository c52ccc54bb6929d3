"""What runs were told by models is recorded, and runs may be told the same again; tools have a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations import row_security

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recorded_calls",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("asked", JSONB(), nullable=False),
        sa.Column("reply", JSONB(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_recorded_calls_run_id")),
        sa.PrimaryKeyConstraint("run_id", "holder", "number", name=op.f("pk_recorded_calls")),
    )
    op.create_table(
        "replays",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("recording", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_replays_run_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_replays")),
    )
    for table in ("recorded_calls", "replays"):
        row_security.protect(table)
    op.add_column("plans", sa.Column("tools", JSONB(), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("tools", sa.Column("version", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    op.drop_column("tools", "version")
    op.drop_column("plans", "tools")
    op.drop_table("replays")
    op.drop_table("recorded_calls")
