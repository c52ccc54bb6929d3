"""People who sign in, their sign-ins, and one-time tickets."""

import sqlalchemy as sa
from alembic import op

from migrations import row_security

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_people")),
    )
    op.create_table(
        "sign_ins",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("now()")),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.name"], ondelete="CASCADE", name=op.f("fk_sign_ins_person")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_sign_ins")),
    )
    op.create_table(
        "tickets",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Uuid()),
        sa.Column("sign_in", sa.Text()),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_tickets")),
    )
    for table in ("sign_ins", "tickets"):
        op.create_index(op.f(f"ix_{table}_expires_at"), table, ["expires_at"])
    for table in ("people", "sign_ins", "tickets"):
        row_security.protect(table)


def downgrade() -> None:
    for table in ("tickets", "sign_ins", "people"):
        op.drop_table(table)
