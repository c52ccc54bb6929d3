"""Runs whose plan a person looks at before anything of it runs."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("review", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_runs_review", "runs", ["tenant", "paused_at"], postgresql_where=sa.text("review"))


def downgrade() -> None:
    op.drop_index("ix_runs_review", "runs")
    op.drop_column("runs", "review")
