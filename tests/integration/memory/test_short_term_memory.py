"""What a run knows of its conversation: the last messages within a budget, and a rolling summary of the rest."""

from uuid import uuid4

import pytest

from services import database
from services.journal import runs
from services.journal.conversations import Message
from services.memory import short_term
from services.memory.recall import CHARACTERS_PER_TOKEN


@pytest.fixture
def run(servers: object) -> dict[str, str]:
    """A run in a conversation of its own."""
    made = {"id": str(runs.new_id()), "tenant": f"tenant-{uuid4()}", "user_id": "ada", "conversation_id": str(uuid4())}
    runs.create({**made, "request": "And now?"})
    return made


def say(run: dict[str, str], *texts: str, role: str = "user") -> None:
    with database.session() as session:
        for text in texts:
            session.add(
                Message(tenant=run["tenant"], conversation_id=run["conversation_id"], run_id=None, role=role, text=text)
            )
            session.flush()


def test_a_short_conversation_is_given_as_it_is(run: dict[str, str]) -> None:
    say(run, "My boat is Tern.", "It is blue.")

    assert short_term.of_run(run) == short_term.ShortTerm("", [("user", "My boat is Tern."), ("user", "It is blue.")])


def test_what_the_last_messages_no_longer_say_is_summed_up(run: dict[str, str]) -> None:
    say(run, "Hi!", "My boat is Tern.", "ok thanks", *(f"Crate {n} is full." for n in range(10)))
    known = short_term.of_run(run, last=10)

    assert known.summary == "My boat is Tern."
    assert len(known.turns) == 10


def test_the_summary_rolls_on_and_keeps_the_latest_of_a_fact(run: dict[str, str]) -> None:
    say(run, "My boat is Tern.", *(f"Crate {n} is full." for n in range(4)))
    short_term.of_run(run, last=2)
    say(run, "My boat is now Osprey.", "We met Mira in Lund.", "bye", "ok")
    known = short_term.of_run(run, last=2)

    assert "Osprey" in known.summary and "Mira" in known.summary
    assert "Tern" not in known.summary


def test_all_of_it_stays_within_the_budget(run: dict[str, str]) -> None:
    say(run, *(f"Crate {n} came from Lund on day {n} with {'many ' * 30}lamps." for n in range(300)))
    for _ in range(3):
        known = short_term.of_run(run, last=10, tokens=200)

    assert sum(len(text) for _, text in known.turns) <= 200 * CHARACTERS_PER_TOKEN
    assert 0 < len(known.summary) <= short_term.SUMMARY_TOKENS * CHARACTERS_PER_TOKEN


def test_one_long_message_is_cut_to_the_budget(run: dict[str, str]) -> None:
    say(run, "word " * 5_000)

    assert len(short_term.of_run(run, tokens=100).turns[0][1]) == 100 * CHARACTERS_PER_TOKEN


def test_another_tenants_conversation_of_the_same_name_is_not_read(run: dict[str, str]) -> None:
    say(run, "My boat is Tern.")
    other = {**run, "tenant": f"tenant-{uuid4()}"}

    assert short_term.of_run(other) == short_term.ShortTerm("", [])
