"""2,000 messages in 30 days: what is kept of them, and how changed facts are answered."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.memory import gate, learning, memories, retrieval
from services.memory.memories import NewMemory
from tests.integration.memory import month as months


@pytest.fixture(scope="module")
def month() -> months.Month:
    return months.make(2_000, seed=20)


@pytest.fixture(scope="module")
def kept(servers: object, month: months.Month) -> tuple[str, list[tuple[months.Message, str]]]:
    """The tenant, and of each stored memory the message that it came from with its text."""
    tenant, kept = f"tenant-{uuid4()}", []
    for message in month.messages:
        learned = learning.learn(tenant, NewMemory("ada", message.text, at=message.at))
        kept += [(message, memories.get(tenant, one).text) for one in learned.stored]
    return tenant, kept


Kept = tuple[str, list[tuple[months.Message, str]]]


def test_at_most_a_tenth_of_what_is_kept_is_junk(kept: Kept) -> None:
    junk = [text for message, text in kept[1] if message.sort in {"chatter", "quote"}]

    assert len(kept[1]) > 100
    assert len(junk) <= 0.1 * len(kept[1]), junk[:10]


def test_no_recalled_text_is_stored_again(kept: Kept) -> None:
    assert [text for message, text in kept[1] if message.sort == "quote"] == []


def test_nothing_is_current_twice(kept: Kept) -> None:
    current = [gate.words(one.text) for one in memories.listed(kept[0], "ada", limit=2_000, every=False)]

    assert len(current) == len(set(current))


def test_every_changed_fact_has_its_newest_value_now_and_its_old_one_then(kept: Kept, month: months.Month) -> None:
    wrong = []
    for thing, had in month.values.items():
        question = f"What is my {thing}?"
        for index, (since, value) in enumerate(had):
            last = index == len(had) - 1
            as_of = None if last else had[index + 1][0] - timedelta(seconds=1)
            best = retrieval.search(kept[0], "ada", question, k=1, as_of=as_of).items[0]
            if value not in best.text:
                wrong.append((thing, since, value, best.text))

    assert sum(len(had) - 1 for had in month.values.values()) > 30
    assert wrong == []
