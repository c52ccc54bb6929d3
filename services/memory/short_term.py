"""Short-term memory: a conversation's last messages within a budget, and a rolling summary of those before.

The summary is extractive: the sentences that tell most, in their order. It is brought up to date when it is read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKeyConstraint, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from services import database
from services.journal.conversations import Message
from services.memory import facts, gate
from services.memory.recall import CHARACTERS_PER_TOKEN

LAST = 10  # messages that are given in full, if they fit
TOKENS = 2_000
SUMMARY_TOKENS = 400
FOLDED_AT_ONCE = 200  # messages

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_TELLING = re.compile(r"\d|(?<=\s)[A-Z][a-z]+")


class ConversationSummary(database.Base):
    """What the messages of a conversation up to the one numbered `upto` said, in short."""

    __tablename__ = "conversation_summaries"

    tenant: Mapped[str] = mapped_column(Text, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(Text, primary_key=True)
    upto: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant", "conversation_id"], ["conversations.tenant", "conversations.id"], ondelete="CASCADE"
        ),
    )


@dataclass(frozen=True)
class ShortTerm:
    """summary: of what came before the turns; empty if nothing did. turns: (role, text), oldest first."""

    summary: str
    turns: list[tuple[str, str]]

    def told(self) -> list[tuple[str, str]]:
        """All of it as (role, text), the summary first, by the role `summary`."""
        return [("summary", self.summary), *self.turns] if self.summary else self.turns


def of_run(run: dict[str, Any], *, last: int = LAST, tokens: int = TOKENS) -> ShortTerm:
    """What a run should know of its conversation: the latest `last` messages before it that fit, and the summary.

    run: a claimed run (id, tenant, user_id, conversation_id). All of it is at most about `tokens` + SUMMARY_TOKENS
    long; a single message that is longer is cut.
    """
    ours = (Message.tenant == run["tenant"], Message.conversation_id == run["conversation_id"])
    query = select(Message).where(*ours, Message.run_id.is_distinct_from(UUID(str(run["id"]))))
    with database.session() as session:
        newest = list(session.scalars(query.order_by(Message.id.desc()).limit(last)))
        kept: list[tuple[str, str]] = []
        left = tokens * CHARACTERS_PER_TOKEN
        for message in newest:
            if kept and len(message.text) > left:
                break
            kept.append((message.role, message.text[:left]))
            left -= len(kept[-1][1])
        older = newest[len(kept) - 1].id if kept else 0
        summary = _rolled(session, run["tenant"], run["conversation_id"], before=older) if kept else ""
    return ShortTerm(summary, kept[::-1])


def _rolled(session: Session, tenant: str, conversation_id: str, *, before: int) -> str:
    """The summary of all messages before that one, after folding in those that it does not have yet."""
    known = session.get(ConversationSummary, (tenant, conversation_id))
    text, upto = (known.text, known.upto) if known else ("", 0)
    query = select(Message).where(
        Message.tenant == tenant, Message.conversation_id == conversation_id, Message.id > upto, Message.id < before
    )
    new = list(session.scalars(query.order_by(Message.id).limit(FOLDED_AT_ONCE)))
    if not new:
        return text
    text = summarized([text, *(message.text for message in new if message.role == "user")], SUMMARY_TOKENS)
    upto = new[-1].id
    session.execute(
        insert(ConversationSummary)
        .values(tenant=tenant, conversation_id=conversation_id, upto=upto, text=text)
        .on_conflict_do_update(
            index_elements=["tenant", "conversation_id"],
            set_={"upto": upto, "text": text},
            where=ConversationSummary.upto < upto,
        )
    )
    return text


def summarized(texts: Sequence[str], tokens: int) -> str:
    """The most telling sentences of these texts in about `tokens` tokens, in their order.

    Of two facts about the same thing the later one is kept; greetings, questions and repeats are dropped.
    """
    sentences = [part.strip() for text in texts for part in _SENTENCE.split(text) if not gate.is_junk(part)]
    about = [facts.about(sentence) or gate.words(sentence) for sentence in sentences]
    latest = {key: index for index, key in enumerate(about)}
    worth = sorted(latest.values(), key=lambda index: (-_worth(sentences[index]), -index))
    left, chosen = tokens * CHARACTERS_PER_TOKEN, []
    for index in worth:
        if len(sentences[index]) + 1 <= left:
            chosen.append(index)
            left -= len(sentences[index]) + 1
    return "\n".join(sentences[index] for index in sorted(chosen))


def _worth(sentence: str) -> int:
    """How much a sentence tells: facts most, then what has names and numbers."""
    return 3 * (facts.about(sentence) is not None) + min(len(_TELLING.findall(sentence)), 2)
