"""Messages to URLs with every attempt, ordered queues, URL groups, and what counts as the same for a while."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOTHING = sa.text("0")
MESSAGES = "delivery_messages"


def upgrade() -> None:
    op.create_table(
        MESSAGES,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("tenant", "source", "url", "host", "method")],
        sa.Column("headers", JSONB(), nullable=False),
        sa.Column("body", JSONB()),
        sa.Column("shown", JSONB()),
        sa.Column("secret", sa.Text()),
        sa.Column("subscription_id", sa.Uuid()),
        sa.Column("group_name", sa.Text()),
        sa.Column("queue", sa.Text()),
        sa.Column("flow", sa.Text()),
        sa.Column("labels", JSONB(), nullable=False, server_default=sa.text("'{}'")),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("deadline", TIME),
        sa.Column("timeout", sa.Double(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("retry_delay", sa.Text()),
        *[
            sa.Column(name, sa.Integer(), nullable=False, server_default=NOTHING)
            for name in ("attempt", "failures", "rounds")
        ],
        sa.Column("worker", sa.Text()),
        sa.Column("started_at", TIME),
        sa.Column("callbacks", JSONB()),
        sa.Column("run_id", sa.Uuid()),
        sa.Column("step_id", sa.Text()),
        sa.Column("effect", sa.Text()),
        sa.Column("wait_hash", sa.Text()),
        sa.Column("told", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("seen", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("error", JSONB()),
        sa.Column("reply", JSONB()),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_messages")),
    )
    _indexes()
    op.create_table(
        "delivery_attempts",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("status", sa.Integer()),
        sa.Column("error", sa.Text()),
        sa.Column("reply", sa.Text()),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.ForeignKeyConstraint(
            ["message_id"], [f"{MESSAGES}.id"], ondelete="CASCADE", name=op.f("fk_delivery_attempts_message_id")
        ),
        sa.PrimaryKeyConstraint("message_id", "attempt", name=op.f("pk_delivery_attempts")),
    )
    op.create_table(
        "delivery_queues",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("paused", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("pk_delivery_queues")),
    )
    op.create_table(
        "url_groups",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("endpoints", JSONB(), nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("pk_url_groups")),
    )
    op.create_table(
        "deduplications",
        *[sa.Column(name, sa.Text(), nullable=False) for name in ("tenant", "kind", "key")],
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "key", name=op.f("pk_deduplications")),
    )
    op.create_index("ix_deduplications_until", "deduplications", ["until"])


def _indexes() -> None:
    for name, columns, where in (
        ("due", ["due_at"], "status = 'waiting'"),
        ("under_way", ["worker"], "status = 'delivering'"),
        ("throttled", ["flow", "due_at"], "status = 'throttled'"),
        ("queued", ["tenant", "queue", "place"], "status = 'queued'"),
        ("open", ["tenant", "queue"], "queue is not null and status in ('waiting', 'throttled', 'delivering')"),
        ("effect", ["effect"], "effect is not null"),
        ("untold", ["effect"], "effect is not null and not told"),
        ("tenant_created_at_id", ["tenant", "created_at", "id"], None),
        ("tenant_status_created_at_id", ["tenant", "status", "created_at", "id"], None),
        ("run_id", ["run_id"], "run_id is not null"),
        ("subscription", ["subscription_id", "created_at"], "subscription_id is not null"),
        ("finished", ["finished_at"], "finished_at is not null"),
    ):
        op.create_index(f"ix_{MESSAGES}_{name}", MESSAGES, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for table in ("deduplications", "url_groups", "delivery_queues", "delivery_attempts", MESSAGES):
        op.drop_table(table)
