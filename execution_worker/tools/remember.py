"""The tool `remember`: stores a note that later runs of the same user can find."""

from typing import Annotated, Any
from uuid import UUID, uuid5

from pydantic import Field

from services import logs
from services.errors import Unavailable
from services.memory import facts, learning, memories, provenance, vectors
from services.memory.memories import NewMemory
from services.tools.contract import ToolContext, tool

NOTES = UUID("6f0c1d4e-6f7b-5d0a-9a5b-0f4c7c1e2a10")  # the namespace of notes' ids, made once

_log = logs.get(__name__)


@tool(
    effect="idempotent",
    timeout=20,
    outside=False,
    capabilities=["store a note, fact or preference of the user for later"],
    examples=["Remember that my dog is called Rex", "Note that the door code is 4711", "Keep in mind that I am vegan"],
)
def remember(
    context: ToolContext, text: Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")]
) -> dict[str, Any]:
    """Store `text` in this user's long-term memory. Returns its `id`, and `text`, which says what was noted."""
    note_id = uuid5(NOTES, f"{context.tenant}/{context.idempotency_key}")
    if not memories.is_stored(context.tenant, note_id):
        trust, url = provenance.of_text(context.tenant, context.run_id, text)
        kept = learning.keep(
            context.tenant,
            NewMemory(
                context.user_id,
                text.strip(),
                id=note_id,
                conversation_id=context.conversation_id,
                source_run=UUID(context.run_id),
                source_step=context.step_id,
                source_url=url,
                trust=trust,
                fact_key=facts.about(text),
            ),
        )
        note_id = [*kept.stored, *kept.repeated][0]
    if memories.get(context.tenant, note_id).quarantined_at is not None:
        return {"id": str(note_id), "text": "That is kept for a person to review, since it comes from outside."}
    try:
        vectors.embed([note_id])
    except Unavailable as error:
        _log.warning("A note is found by its words alone for now", reason=error.detail)
    return {"id": str(note_id), "text": f"Noted: {text.strip()}"}
