"""Memory that can be questioned: scopes, trust, validity, quarantine; vectors in a table of their own, by model."""

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

_LEXEMES = "to_tsvector('english', context || ' ' || text)"


def upgrade() -> None:
    op.create_table(
        "embedding_models",
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("space", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state in ('active', 'building', 'retired')", name=op.f("ck_embedding_models_state")),
        sa.PrimaryKeyConstraint("model", name=op.f("pk_embedding_models")),
    )
    op.create_index(
        "ix_embedding_models_active", "embedding_models", ["state"], unique=True,
        postgresql_where=sa.text("state = 'active'"),
    )  # fmt: skip
    op.create_table(
        "memory_vectors",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("embedding", HALFVEC(), nullable=False),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], ondelete="CASCADE", name=op.f("fk_memory_vectors_memory_id")
        ),
        sa.PrimaryKeyConstraint("memory_id", "space", name=op.f("pk_memory_vectors")),
    )
    op.create_table(
        "memories_to_embed",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], ondelete="CASCADE", name=op.f("fk_memories_to_embed_memory_id")
        ),
        sa.PrimaryKeyConstraint("memory_id", "model", name=op.f("pk_memories_to_embed")),
    )
    op.create_index(op.f("ix_memories_to_embed_model_position"), "memories_to_embed", ["model", "position"])
    _add_columns()
    _move_vectors()
    op.drop_index("ix_memories_unembedded", table_name="memories")
    op.drop_index("ix_memories_tenant_user_id_at", table_name="memories")
    op.drop_index("ix_memories_thread", table_name="memories")
    for column in ("trusted", "lexemes", "embedding", "embedding_model"):
        op.drop_column("memories", column)
    owner = "array_to_tsvector(array['@' || md5(tenant || '/' || owner)])"
    op.add_column(
        "memories",
        sa.Column(
            "lexemes", postgresql.TSVECTOR(), sa.Computed(f"{_LEXEMES} || {owner}", persisted=True), nullable=False
        ),
    )
    _index()


def _add_columns() -> None:
    for column in (
        sa.Column("scope", sa.Text(), server_default="user", nullable=False),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("superseded_by", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("use_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trust", sa.Text(), server_default="person", nullable=False),
        sa.Column("source_url", sa.Text(), nullable=True),
        sa.Column("derived_from", sa.Uuid(), nullable=True),
        sa.Column("quarantined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quarantine_reason", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fact_key", sa.Text(), nullable=True),
    ):
        op.add_column("memories", column)
    op.execute(
        "update memories set owner = 'user:' || user_id, valid_from = at,"
        " trust = case when not trusted then 'outside' when kind = 'episode' then 'agent' else 'person' end"
    )
    op.alter_column("memories", "owner", nullable=False)
    op.alter_column("memories", "valid_from", nullable=False)


def _move_vectors() -> None:
    op.execute(
        "insert into embedding_models (model, space, state)"
        " select distinct on (model) model, space, case when n = 1 then 'active' else 'retired' end from ("
        "   select regexp_replace(embedding_model, ':\\d+$', '') as model, embedding_model as space,"
        "          row_number() over (order by count(*) desc, embedding_model) as n"
        "   from memories where embedding_model is not null group by embedding_model) found order by model, n"
    )
    op.execute(
        "insert into memory_vectors select id, embedding_model, tenant, owner, embedding from memories"
        " where embedding is not null"
    )
    op.execute(
        "insert into memories_to_embed (memory_id, model) select m.id, e.model from memories m"
        " join embedding_models e on e.state = 'active' and m.embedding_model is distinct from e.space"
        " order by m.position"
    )


def _index() -> None:
    op.create_check_constraint(
        op.f("ck_memories_scope"), "memories", "scope in ('tenant', 'user', 'agent', 'conversation')"
    )
    op.create_check_constraint(op.f("ck_memories_trust"), "memories", "trust in ('person', 'agent', 'outside')")
    op.create_index(op.f("ix_memories_tenant_owner_at"), "memories", ["tenant", "owner", "at"])
    op.create_index(op.f("ix_memories_tenant_owner_kind"), "memories", ["tenant", "owner", "kind"])
    for name, columns, where in (
        ("thread", ["tenant", "owner", "thread", "at", "position"], "thread is not null"),
        ("conversation", ["tenant", "conversation_id"], "conversation_id is not null"),
        ("run", ["source_run"], "source_run is not null"),
        ("derived", ["derived_from"], "derived_from is not null"),
        ("superseded", ["superseded_by"], "superseded_by is not null"),
        ("quarantined", ["tenant", "quarantined_at"], "quarantined_at is not null"),
        ("fact", ["tenant", "owner", "fact_key"], "fact_key is not null"),
        ("fingerprint", ["tenant", "owner", "fingerprint"], "kind <> 'message'"),
    ):
        op.create_index(f"ix_memories_{name}", "memories", columns, postgresql_where=sa.text(where))
    op.create_index("ix_memories_lexemes", "memories", ["lexemes"], postgresql_using="gin")
    op.create_index("ix_memory_vectors_owner", "memory_vectors", ["tenant", "owner", "space"])


def downgrade() -> None:
    raise NotImplementedError("Vectors of several models do not fit into the old column: restore a backup instead.")
