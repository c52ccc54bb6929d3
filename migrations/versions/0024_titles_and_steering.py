"""Conversations get a title, and runs what their user adds while they run."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("title", sa.Text()))
    op.add_column("runs", sa.Column("steers", sa.ARRAY(sa.Text()), nullable=False, server_default=sa.text("'{}'")))
    op.add_column("runs", sa.Column("steers_planned", sa.Integer(), nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    op.drop_column("runs", "steers_planned")
    op.drop_column("runs", "steers")
    op.drop_column("conversations", "title")
