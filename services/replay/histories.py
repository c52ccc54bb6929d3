"""The history of a run as two runs are compared by it: what was asked, planned, called and answered.

It has no ids, times, workers and tries, and is in the order of the plan: steps that run side by side end in any order.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any

import orjson

from services.journal.event_names import EventName
from services.journal.steps import Step
from services.replay.recorded_calls import RecordedCall

LONGEST = 2_000  # characters of a value in a report
OUTCOMES = {"step.succeeded", "step.failed", "step.skipped", "step.cancelled"}

Line = dict[str, Any]  # at: run, plan, answer or a step's id; what; value


def of(events: Sequence[dict[str, Any]], steps: Sequence[Step], calls: Sequence[RecordedCall]) -> list[Line]:
    """The history that these events, steps (in the plan's order) and recorded calls tell."""
    lines = [_line("run", "request", event["data"]["request"]) for event in events if _is(event, EventName.RUN_CREATED)]
    lines += _calls("plan", calls)
    lines += [line for event in events if (line := _planned(event))]
    outcomes = {event["stepId"]: event for event in events if event["name"] in OUTCOMES}
    for step in steps:
        lines += _calls(step.id, calls)
        if step.input is not None:
            lines.append(_line(step.id, "input", step.input))
        if step.id in outcomes:
            lines.append(_line(step.id, "outcome", _outcome(outcomes[step.id])))
    lines += _calls("answer", calls)
    lines += [line for event in events if (line := _answered(event))]
    return lines


def digest(lines: Sequence[Line]) -> str:
    """The hash of its bytes: one JSON line each, keys in order."""
    return sha256(b"\n".join(_bytes(line) for line in lines)).hexdigest()


def differences(expected: Sequence[Line], got: Sequence[Line]) -> list[dict[str, Any]]:
    """Where the second differs from the first, in the order of the first; None for what one of them lacks."""
    before, after = _by_place(expected), _by_place(got)
    places = list(dict.fromkeys([*before, *after]))
    order = {place: number for number, place in enumerate(places)}
    found = [place for place in places if _bytes(before.get(place)) != _bytes(after.get(place))]
    return [
        {
            "at": at,
            "what": what,
            "detail": _detail(at, what, before.get((at, what)), after.get((at, what))),
            "expected": _shortened(before.get((at, what))),
            "got": _shortened(after.get((at, what))),
        }
        for at, what in sorted(found, key=lambda place: _rank(place, order, before))
    ]


def _rank(place: tuple[str, str], order: dict[tuple[str, str], int], before: Iterable[tuple[str, str]]) -> float:
    """What only the second has stands behind the last line of the first that is about the same."""
    if place in before:
        return order[place]
    same = [order[other] for other in before if other[0] == place[0]]
    return (max(same) if same else order[place]) + 0.5


def _by_place(lines: Sequence[Line]) -> dict[tuple[str, str], Any]:
    return {(line["at"], line["what"]): line["value"] for line in lines}


def _detail(at: str, what: str, expected: Any, got: Any) -> str:
    if expected is None or got is None:
        return f"{at}: {what} is {'missing' if got is None else 'new'}."
    if what.startswith("model call"):
        parts = [was for was, now in zip(expected, got, strict=False) if was["hash"] != now["hash"]]
        part = f"its {parts[0]['name']}" if parts else "the number of its messages"
        return f"{at}: {what} asks something else: {part} differs."
    return f"{at}: {what} differs."


def _calls(holder: str, calls: Sequence[RecordedCall]) -> list[Line]:
    return [_line(holder, f"model call {call.number}", call.asked) for call in calls if call.holder == holder]


def _planned(event: dict[str, Any]) -> Line | None:
    data = event["data"]
    if _is(event, EventName.PLAN_CREATED):
        told = {name: data[name] for name in ("source", "note", "steps")}
        return _line("plan", f"revision {data['revision']}", told)
    if _is(event, EventName.PLAN_REVISION_REQUESTED, EventName.PLAN_GIVEN_UP):
        return _line("plan", f"{event['name']} {data.get('revision', '')}".strip(), data["because"])
    return None


def _answered(event: dict[str, Any]) -> Line | None:
    if _is(event, EventName.ANSWER_COMPLETED):
        return _line("answer", "text", event["data"]["text"])
    if _is(event, EventName.RUN_SUCCEEDED, EventName.RUN_FAILED, EventName.RUN_CANCELLED):
        return _line("run", "end", {"name": event["name"], "error": event["data"].get("error")})
    return None


def _outcome(event: dict[str, Any]) -> dict[str, Any]:
    told = {name: event["data"][name] for name in ("output", "error") if name in event["data"]}
    return {"name": event["name"], **told}


def _is(event: dict[str, Any], *names: EventName) -> bool:
    return event["name"] in names


def _line(at: str, what: str, value: Any) -> Line:
    return {"at": at, "what": what, "value": value}


def _bytes(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _shortened(value: Any) -> Any:
    text = _bytes(value).decode()
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}…"
