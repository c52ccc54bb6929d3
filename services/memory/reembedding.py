"""Moving all memories to another embedding model while searches go on with the one that is active.

begin() queues every memory for the new model; workers embed the queue, whoever dies; finish() makes the new model the
active one in one commit when nothing is missing. Searches compare vectors of one model only, before and after.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy import text as sql

from services import database, logs, tenants
from services.memory import embedders, vector_index, vectors
from services.memory.vectors import EmbeddingModel, MemoryVector, ToEmbed

BATCH = 5_000
_log = logs.get(__name__)


@dataclass(frozen=True)
class Progress:
    """A model with its state (active, building, retired), how many vectors it has and how many are missing."""

    model: str
    state: str
    vectors: int
    pending: int


@tenants.every()
def begin(model: str | None = None) -> str:
    """Begin (or go on with) the move to `model`, the configured one if None; returns its name.

    New memories are embedded by both models from now on. A move to yet another model is given up.
    """
    wanted = model or embedders.configured()
    active = vectors.active()
    with database.session() as session:
        vectors.change_models(session)
        session.execute(
            sql("update embedding_models set state = 'retired' where state = 'building' and model <> :model"),
            {"model": wanted},
        )
        if wanted != active:
            session.execute(
                sql(
                    "insert into embedding_models (model, state) values (:model, 'building')"
                    " on conflict (model) do update set state = 'building', since = now()"
                    " where embedding_models.state = 'retired'"
                ),
                {"model": wanted},
            )
        session.execute(_QUEUE, {"model": wanted})
        session.execute(_DROP_RETIRED)
    return wanted


_DROP_RETIRED = sql("""
    delete from memories_to_embed q using embedding_models e where e.model = q.model and e.state = 'retired'
""")
# What has neither a vector of the model nor a place in its queue.
_QUEUE = sql("""
    insert into memories_to_embed (memory_id, model)
    select m.id, :model from memories m
    left join embedding_models e on e.model = :model
    where not exists (select from memory_vectors v where v.memory_id = m.id and v.space = e.space)
    order by m.position
    on conflict do nothing
""")


def building() -> str | None:
    """The model that is being moved to, or None."""
    with database.session() as session:
        return session.scalar(select(EmbeddingModel.model).where(EmbeddingModel.state == "building"))


def finish() -> str | None:
    """Make the building model the active one if every memory has its vector; returns its name if that happened.

    What slipped through is queued instead, and the next call finds it done.
    """
    model = building()
    if model is None:
        return None
    with database.session() as session:
        if session.scalar(select(ToEmbed.memory_id).where(ToEmbed.model == model).limit(1)) is not None:
            return None
        space = session.scalar(select(EmbeddingModel.space).where(EmbeddingModel.model == model))
    if space is not None:
        vector_index.ensure(space)
    with database.session() as session:
        vectors.change_models(session)
        session.execute(_QUEUE, {"model": model})
        if session.scalar(select(ToEmbed.memory_id).where(ToEmbed.model == model).limit(1)) is not None:
            return None
        session.execute(sql("update embedding_models set state = 'retired', since = now() where state = 'active'"))
        moved = session.execute(
            sql(
                "update embedding_models set state = 'active', since = now()"
                " where model = :model and state = 'building'"
            ),
            {"model": model},
        )
        if not moved.rowcount:  # type: ignore[attr-defined]
            session.rollback()
            return None
    vectors.forget_active()
    _log.info("Searches use another embedding model now", model=model)
    return model


def drop_retired(limit: int = BATCH) -> int:
    """Delete up to `limit` vectors of retired models; returns how many. Ask again until it is 0."""
    statement = sql("""
        delete from memory_vectors where (memory_id, space) in (
          select v.memory_id, v.space from memory_vectors v
          join embedding_models e on e.space = v.space and e.state = 'retired'
          where e.since < now() - interval '1 minute' limit :limit)
    """)
    with database.session() as session:
        return session.execute(statement, {"limit": limit}).rowcount  # type: ignore[attr-defined]


def progress() -> list[Progress]:
    """Every model that memories have, or are to have, vectors of; the active one first."""
    with database.session() as session:
        models = session.scalars(select(EmbeddingModel).order_by(EmbeddingModel.state, EmbeddingModel.model)).all()
        count = select(func.count()).select_from
        return [
            Progress(
                model=one.model,
                state=one.state,
                vectors=session.scalar(count(MemoryVector).where(MemoryVector.space == one.space)) or 0,
                pending=session.scalar(count(ToEmbed).where(ToEmbed.model == one.model)) or 0,
            )
            for one in models
        ]
