"""JSON is found alone, in code fences and among words; anything else is said to be malformed."""

import pytest

from services.model import json_text


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1]}',
        '  {"a": [1]}\n',
        '```json\n{"a": [1]}\n```',
        '```\n{"a": [1]}\n```',
        'Here is the plan:\n```json\n{"a": [1]}\n```\nGood luck!',
        'Sure! {"a": [1]} Anything else?',
        '<think>Perhaps {"b": 2}?</think>\n{"a": [1]}',
    ],
)
def test_json_is_found_whatever_surrounds_it(text: str) -> None:
    assert json_text.parse(text) == {"a": [1]}


@pytest.mark.parametrize("text", ["", "   ", "no json here", '{"a": [1', "{'a': 1}"])
def test_what_is_not_json_is_said_so(text: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_text.parse(text)
