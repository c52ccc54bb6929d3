"""/api/memory: add what should be remembered about a user, and search it. What people do with it: memory_care.py."""

from typing import Annotated, Any, Literal

from flask import Blueprint, Response
from pydantic import ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from gateway.fields import Id, Moment, Name, Time
from services import clock
from services.memory import facts, learning, memories, recall, retrieval
from services.memory.memories import Memory, NewMemory
from services.pipeline import phases

DEFAULT_USER = "default"
MAX_ITEMS = 5_000
EXAMPLE = {"text": "Ada prefers short answers.", "userId": "ada", "kind": "fact"}

blueprint = Blueprint("memory", __name__)

Words = Annotated[str, Field(min_length=1, max_length=20_000)]
Kind = Literal["message", "episode", "fact", "note"]


class Remembered(bodies.Body):
    """One thing to remember. at: when it was said or happened (RFC 3339 with zone); now if left out.

    trust: `outside` for text of pages and other systems; what reads like an instruction in it goes to quarantine.
    learn: take the facts out of the text and keep what is new; else the text is kept as it is.
    """

    text: Words
    user_id: Name | None = None
    conversation_id: Name | None = None
    kind: Kind = "note"
    at: Moment | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    scope: Literal["tenant", "user", "agent", "conversation"] = "user"
    agent: Name | None = None
    trust: Literal["person", "agent", "outside"] = "person"
    source_url: Annotated[str, Field(max_length=2_000)] | None = None
    expires_at: Moment | None = None
    learn: bool = False


def _one_or_many(schema: dict[str, Any]) -> None:
    """`text` with its fields, or `items` alone, none of which is to be learnt from."""
    alone = {"required": ["items"], "properties": {"items": {"type": "array"}}, "maxProperties": 1}
    single = {"required": ["text"], "properties": {"text": {"type": "string"}, "items": {"type": "null"}}}
    schema["oneOf"] = [single, alone]


class AddRequest(Remembered):
    """One thing to remember, or `items` with many."""

    model_config = ConfigDict(json_schema_extra=_one_or_many)

    text: Words | None = None  # type: ignore[assignment]
    items: Annotated[list[Remembered], Field(min_length=1, max_length=MAX_ITEMS)] | None = None

    @model_validator(mode="after")
    def _one_or_many(self) -> "AddRequest":
        if (self.text is None) == (self.items is None):
            raise ValueError("give `text` for one memory or `items` for many")
        if self.items and self.model_fields_set - {"items"}:
            raise ValueError("with `items`, every other field belongs inside each item")
        if self.items and any(item.learn for item in self.items):
            raise ValueError("`learn` takes one text at a time")
        return self


class SearchRequest(bodies.Body):
    """What to look for. k: how many at most. tokens: as many of the best as fit into so many tokens.

    conversationId, kinds, since, until narrow the search; agent adds what is the agent's. asOf: as things stood then.
    """

    query: Words
    user_id: Name | None = None
    conversation_id: Name | None = None
    k: Annotated[int, Field(ge=1, le=200)] = 10
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=4)] | None = None
    agent: Name | None = None
    since: Moment | None = None
    until: Moment | None = None
    as_of: Moment | None = None
    tokens: Annotated[int, Field(ge=1, le=200_000)] | None = None
    explain: bool = False


class Stored(TypedDict):
    """The id of what was stored."""

    id: Id


class StoredMany(TypedDict):
    """The ids of what was stored, in order."""

    ids: list[Id]


class RefusedText(TypedDict):
    """What was not kept, and why."""

    text: str
    reason: str


class Learnt(StoredMany):
    """What was learnt. repeated: what was known already."""

    repeated: list[Id]
    refused: list[RefusedText]


class Source(TypedDict):
    """Where a memory comes from, and whether it may be believed."""

    runId: Id | None
    stepId: str | None
    url: str | None
    trust: str
    trusted: bool


class MemoryInShort(TypedDict):
    """A memory as searches show it."""

    id: Id
    text: str
    kind: Kind
    at: Time
    metadata: dict[str, Any]
    source: Source


class MemoryInFull(MemoryInShort):
    """A memory with whose it is, when it held and what became of it."""

    userId: str | None
    scope: str
    agent: str | None
    conversationId: str | None
    recordedAt: Time
    validFrom: Time
    validTo: Time | None
    supersededBy: Id | None
    derivedFrom: Id | None
    expiresAt: Time | None
    lastUsedAt: Time | None
    useCount: int
    quarantinedAt: Time | None
    quarantineReason: str | None


class _Explained(TypedDict, total=False):
    explain: dict[str, Any]


class FoundMemory(MemoryInShort, _Explained):
    """A memory that fits, and how well. explain: only where asked for."""

    score: float


class Found(TypedDict):
    """The memories that fit best. ways: how they were looked for; note: what could not be done, and why."""

    items: list[FoundMemory]
    ways: list[str]
    note: str | None


@blueprint.post("/api/memory")
@declare.operation(takes=AddRequest, gives={201: Stored | StoredMany | Learnt}, example=EXAMPLE)
def add() -> Response:
    """Answers 201 with the id, or the ids in order; found by words at once, by meaning once a worker embedded it."""
    asked, _ = bodies.read(AddRequest)
    tenant = authentication.caller().tenant
    if asked.learn:
        learned = learning.learn(tenant, _new(asked))
        phases.ring_embedding()
        refused = [{"text": text, "reason": reason} for text, reason in learned.refused]
        ids = {"ids": [str(one) for one in learned.stored], "repeated": [str(one) for one in learned.repeated]}
        return wire.reply({**ids, "refused": refused}, status=201)
    wanted = asked.items if asked.items is not None else [asked]
    stored = memories.add_many(tenant, [_new(item) for item in wanted])
    phases.ring_embedding()
    if asked.items is None:
        return wire.reply({"id": str(stored[0])}, status=201)
    return wire.reply({"ids": [str(memory_id) for memory_id in stored]}, status=201)


def _new(item: Remembered) -> NewMemory:
    told = {name: getattr(item, name) for name in item.__class__.model_fields if name not in {"learn", "items"}}
    told |= {"user_id": item.user_id or DEFAULT_USER, "text": item.text or ""}
    return NewMemory(**told, fact_key=facts.about(item.text or "") if item.kind == "fact" else None)


@blueprint.post("/api/memory/search")
@declare.operation(takes=SearchRequest, gives=Found, example={"query": "how does Ada like answers?", "userId": "ada"})
def search() -> Response:
    """The memories that a user may see and that fit the query best; `ways` says how they were looked for."""
    asked, _ = bodies.read(SearchRequest)
    found = retrieval.search(
        authentication.caller().tenant,
        asked.user_id or DEFAULT_USER,
        asked.query,
        k=asked.k,
        conversation_id=asked.conversation_id,
        kinds=asked.kinds,
        agent=asked.agent,
        since=asked.since,
        until=asked.until,
        as_of=asked.as_of,
    )
    chosen = found.items if asked.tokens is None else recall.packed(found.items, asked.tokens)
    items = [
        {
            **in_short(item.memory),
            "score": item.score,
            **({"explain": _explained(item)} if asked.explain else {}),
        }
        for item in chosen
    ]
    return wire.reply({"items": items, "ways": list(found.ways), "note": found.note})


def _explained(item: retrieval.FoundMemory) -> dict[str, Any]:
    return {"similarity": item.similarity, "coverage": item.coverage, "parts": item.parts}


def in_short(memory: Memory) -> MemoryInShort:
    """A memory as searches show it."""
    return {
        "id": str(memory.id),
        "text": memory.text,
        "kind": memory.kind,  # type: ignore[typeddict-item]
        "at": clock.to_wire(memory.at),
        "metadata": memory.details,
        "source": {
            "runId": str(memory.source_run) if memory.source_run else None,
            "stepId": memory.source_step,
            "url": memory.source_url,
            "trust": memory.trust,
            "trusted": memory.trusted,
        },
    }


def in_full(memory: Memory) -> MemoryInFull:
    """A memory with whose it is, when it held and what became of it."""
    return {
        **in_short(memory),
        "userId": memory.user_id,
        "scope": memory.scope,
        "agent": memory.agent,
        "conversationId": memory.conversation_id,
        "recordedAt": clock.to_wire(memory.recorded_at),
        "validFrom": clock.to_wire(memory.valid_from),
        "validTo": clock.to_wire(memory.valid_to),
        "supersededBy": str(memory.superseded_by) if memory.superseded_by else None,
        "derivedFrom": str(memory.derived_from) if memory.derived_from else None,
        "expiresAt": clock.to_wire(memory.expires_at),
        "lastUsedAt": clock.to_wire(memory.last_used_at),
        "useCount": memory.use_count,
        "quarantinedAt": clock.to_wire(memory.quarantined_at),
        "quarantineReason": memory.quarantine_reason,
    }
