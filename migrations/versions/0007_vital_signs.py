"""What workers say of themselves, what came through each queue, and why a phase is tried again."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workers", sa.Column("slots", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("workers", sa.Column("busy", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("workers", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workers", sa.Column("clock_ahead", sa.Double(), server_default=sa.text("0"), nullable=False))
    op.add_column("runs", sa.Column("phase_error", sa.Text(), nullable=True))
    op.create_table(
        "queue_marks",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("came_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("came_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_queue_marks")),
    )
    op.execute("update runs set rung_at = '9000-01-01 00:00:00+00' where phase = 'execute' and open_steps > 0")


def downgrade() -> None:
    op.drop_table("queue_marks")
    op.drop_column("runs", "phase_error")
    for column in ("clock_ahead", "taken_at", "busy", "slots"):
        op.drop_column("workers", column)
