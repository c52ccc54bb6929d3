"""What decides whether and how often a step runs: its `when` and its `forEach`."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("steps", sa.Column("control", JSONB()))


def downgrade() -> None:
    op.drop_column("steps", "control")
