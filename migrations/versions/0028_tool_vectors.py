"""Vectors of tools, for looking up those that fit a request."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tool_vectors",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("dimensions", sa.Integer(), nullable=False),
        sa.Column("halves", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "space", name=op.f("pk_tool_vectors")),
    )


def downgrade() -> None:
    op.drop_table("tool_vectors")
