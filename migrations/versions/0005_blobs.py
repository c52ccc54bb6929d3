"""Blobs: big outputs stored once by hash."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "blobs",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hash", name=op.f("pk_blobs")),
    )
    op.create_table(
        "blob_uses",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "hash", name=op.f("pk_blob_uses")),
    )
    op.create_index(op.f("ix_blob_uses_tenant_hash"), "blob_uses", ["tenant", "hash"])


def downgrade() -> None:
    """Takes the references' contents back into the rows first."""
    for table, column in (("steps", "output"), ("steps", "input"), ("attempts", "output")):
        op.execute(f"update {table} set {column} = whole(tenant, {column}) where is_blob({column})")
    op.execute(
        "update events set data = jsonb_set(data, '{output}', whole(tenant, data -> 'output'))"
        " where is_blob(data -> 'output')"
    )
    op.drop_table("blob_uses")
    op.drop_table("blobs")
