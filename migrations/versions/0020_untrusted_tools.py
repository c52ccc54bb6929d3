"""Which tools bring content from outside: known to all who read the catalogue, not to the worker alone."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # what a worker of the release before registers says nothing of it, and counts as untrusted
    op.add_column("tools", sa.Column("untrusted", sa.Boolean(), nullable=False, server_default=sa.true()))


def downgrade() -> None:
    op.drop_column("tools", "untrusted")
