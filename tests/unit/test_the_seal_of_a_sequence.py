"""The hash that a run's last event carries is the one that a client gets by chaining what it received."""

import hashlib
from typing import Any
from uuid import uuid4

from services.journal import sequences


def events(number: int) -> list[dict[str, Any]]:
    run_id = str(uuid4())
    return [
        {"workflowId": run_id, "seq": seq, "name": "answer.delta", "data": {"text": f"ä{seq}", "b": 1.0, "a": [None]}}
        for seq in range(1, number + 1)
    ]


def test_a_client_gets_the_same_hash_from_the_texts_alone() -> None:
    told = events(4)
    sealed = sequences.sealed(told[-1], iter(told[:-1]))
    chained = ""
    for event in told[:-1]:
        chained = hashlib.sha256((chained + sequences.text_of(event)).encode()).hexdigest()

    assert sealed["sequence"] == {"count": 4, "hash": chained}
    assert sequences.text_of(told[0]) == (
        f'{{"data":{{"a":[null],"b":1.0,"text":"ä1"}},"name":"answer.delta","seq":1,"workflowId":"{told[0]["workflowId"]}"}}'
    )


def test_a_lost_a_doubled_and_a_swapped_event_all_change_it() -> None:
    told = events(5)
    right = sequences.chained(told)
    lost, doubled, swapped = told[:2] + told[3:], told[:3] + told[2:], [told[1], told[0], *told[2:]]

    assert len({right, *map(sequences.chained, (lost, doubled, swapped))}) == 4
    assert sequences.chained(told[2:], sequences.chained(told[:2])) == right


def test_the_events_before_are_read_once_however_many_see_the_end() -> None:
    told = events(3)
    first = sequences.sealed(told[-1], iter(told[:-1]))

    assert sequences.sealed(told[-1], iter([])) == first
