"""What metadata say about the talk that a memory is a turn of."""

from datetime import UTC, datetime
from typing import Any

from services.memory import turns

MONDAY = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def read(text: str = "The kiln is fixed.", **given: Any) -> turns.Setting:
    return turns.read(
        text,
        at=MONDAY,
        is_message=given.get("is_message", False),
        conversation_id=given.get("conversation_id"),
        metadata=given.get("metadata", {}),
    )


def test_a_note_stands_alone_and_is_searched_with_its_day() -> None:
    setting = read()

    assert setting == turns.Setting(speaker=None, thread=None, context="Monday 2 March 2026")


def test_a_speaker_and_a_session_make_it_a_turn_of_that_session() -> None:
    setting = read(conversation_id="c1", metadata={"speaker": "Mira", "session": 4})

    assert (setting.speaker, setting.thread) == ("Mira", "c1/4")
    assert "Mira" in setting.context


def test_a_name_before_a_colon_is_the_speaker_of_a_message_but_not_of_a_note() -> None:
    line = "[2 March] Mira: the kiln is fixed"

    assert read(line, is_message=True).speaker == "Mira"
    assert read(line, conversation_id="c1").thread == "c1/"
    assert read(line).speaker is None


def test_texts_of_the_metadata_are_searched_but_ids_and_nested_values_are_not() -> None:
    setting = read(
        metadata={"caption": "a blue bowl", "turnId": "x9", "id": "x8", "page_url": "u", "tags": ["t"], "n": 5}
    )

    assert setting.context == "Monday 2 March 2026, a blue bowl"


def test_long_metadata_are_cut() -> None:
    setting = read(metadata={f"part{number}": "word " * 100 for number in range(20)})

    assert len(setting.context) == turns.MAX_CONTEXT
