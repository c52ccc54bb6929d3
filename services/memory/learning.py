"""Learning from what people say, by rules: sentences pass the gate, repeats are dropped, contradictions supersede."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid5

from sqlalchemy import or_, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session, defer

from services import clock, database
from services.memory import care, facts, gate, memories, scopes
from services.memory.memories import Memory, NewMemory

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|\n+")
MAX_SENTENCES = 40
MIN_WORDS = 3


@dataclass
class Learned:
    """stored: the ids of new memories. repeated: of those that were known already. refused: (sentence, why not)."""

    stored: list[UUID] = field(default_factory=list)
    repeated: list[UUID] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def learn(tenant: str, told: NewMemory, *, recalled: Sequence[str] = ()) -> Learned:
    """Take the facts out of what was told, sentence by sentence, and keep those that are new.

    told: its text is split; all else is said of every fact. With an id, telling it again stores nothing twice.
    recalled: texts that memory gave for the talk; sentences that hold them are not stored again.
    """
    learned = Learned()
    for number, sentence in enumerate(_SENTENCE.split(told.text.strip())[:MAX_SENTENCES]):
        bare = sentence.strip(" -*•\t")
        reason = _refusal(bare, recalled) or _known_before(tenant, told, bare)
        if reason:
            learned.refused.append((bare, reason))
            continue
        fact = replace(
            told,
            text=bare,
            kind="fact",
            fact_key=facts.about(bare),
            id=uuid5(told.id, str(number)) if told.id else None,
        )
        keep(tenant, fact, learned)
    return learned


def _refusal(sentence: str, recalled: Sequence[str]) -> str | None:
    if len(sentence.split()) < MIN_WORDS or gate.is_junk(sentence):
        return "it tells nothing"
    if gate.repeats(sentence, recalled):
        return "it was recalled from memory"
    return None


def _known_before(tenant: str, told: NewMemory, sentence: str) -> str | None:
    """A sentence that says that it quotes ("you told me …") is refused when it holds a memory, old ones included."""
    if not gate.quotes_memory(sentence):
        return None
    owner = scopes.owner(told.scope, told.user_id, agent=told.agent, conversation_id=told.conversation_id)
    near = sql("""
        select text from memories
        where tenant = :tenant and owner = :owner and kind <> 'message'
          and lexemes @@ replace(plainto_tsquery('english', :sentence)::text, '&', '|')::tsquery
        order by ts_rank(lexemes, replace(plainto_tsquery('english', :sentence)::text, '&', '|')::tsquery) desc limit 20
    """)
    with database.session() as session:
        known = list(session.execute(near, {"tenant": tenant, "owner": owner, "sentence": sentence}).scalars())
    return "it quotes what memory holds" if gate.repeats(sentence, known) else None


def keep(tenant: str, fact: NewMemory, learned: Learned | None = None) -> Learned:
    """Store one fact, unless it is known; what it contradicts ends when it begins.

    A fact that is older than what is known about the same thing becomes history at once.
    """
    learned = learned if learned is not None else Learned()
    at = fact.at or clock.now()
    with database.session() as session:
        # two facts about one thing at once: the second sees the first
        owner = scopes.owner(fact.scope, fact.user_id, agent=fact.agent, conversation_id=fact.conversation_id)
        key = f"{tenant}/{owner}/{fact.fact_key or gate.fingerprint(fact.text)}"
        session.execute(sql("select pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})
        same = _same(session, tenant, owner, fact)
        if same is not None:
            learned.repeated.append(same)
            return learned
        known = _about_the_same(session, tenant, owner, fact)
        newer = [other for other in known if other.valid_from > at]
        older = [other.id for other in known if other.valid_from <= at]
        fact = replace(fact, at=at, valid_to=min(other.valid_from for other in newer) if newer else fact.valid_to)
        stored = memories.write(session, tenant, [fact])[0]
        if fact.trust in memories.TRUSTED:
            care.end(session, tenant, older, by=stored, at=at)
    learned.stored.append(stored)
    return learned


def _same(session: Session, tenant: str, owner: str, fact: NewMemory) -> UUID | None:
    """The current memory with the same words, or the one with the same id."""
    query = select(Memory.id).where(
        Memory.tenant == tenant, Memory.owner == owner, Memory.kind != "message", Memory.quarantined_at.is_(None),
        Memory.fingerprint == gate.fingerprint(fact.text), Memory.valid_to.is_(None),
    )  # fmt: skip
    if fact.id is not None:
        query = select(Memory.id).where(Memory.tenant == tenant, or_(Memory.id == fact.id, Memory.id.in_(query)))
    return session.scalar(query.limit(1))


def _about_the_same(session: Session, tenant: str, owner: str, fact: NewMemory) -> list[Memory]:
    """Current facts about the same thing."""
    if fact.fact_key is None:
        return []
    query = select(Memory).where(
        Memory.tenant == tenant, Memory.owner == owner, Memory.fact_key == fact.fact_key,
        Memory.valid_to.is_(None), Memory.quarantined_at.is_(None),
    )  # fmt: skip
    return list(session.scalars(query.options(defer(Memory.lexemes))))
