"""API keys have scopes that mean something, limits, and successors. Keys of before could do everything: they still can."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("per_minute", sa.Integer()))
    op.add_column("api_keys", sa.Column("per_day", sa.Integer()))
    op.add_column("api_keys", sa.Column("replaces", sa.Uuid()))
    op.execute("update api_keys set scopes = array_append(scopes, 'admin') where 'operate' <> all (scopes)")


def downgrade() -> None:
    op.drop_column("api_keys", "replaces")
    op.drop_column("api_keys", "per_day")
    op.drop_column("api_keys", "per_minute")
