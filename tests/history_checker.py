"""Judges what happened to a set of runs by the journal and the side effect ledger: the invariants of the design.

Every fault is a sentence that begins with the run's id; no sentences, nothing lost and nothing done twice.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.journal import attempts, events, runs, steps
from services.journal.event_names import TERMINAL
from services.pipeline import doctor

TENANT = "default"
OPEN = {"pending", "ready", "running", "waiting", "in_doubt"}
ENDS = {"step.succeeded", "step.failed", "step.skipped", "step.cancelled", "step.reused"}


@dataclass(frozen=True)
class Effect:
    """One line of the ledger: what an attempt did to the outside, when (seconds since 1970)."""

    step_id: str
    attempt: int
    what: str
    at: float


Ledger = dict[str, list[Effect]]


def read(path: Path) -> Ledger:
    """The ledger by run; a last line that is still being written is left out."""
    found: Ledger = defaultdict(list)
    text = path.read_text() if path.exists() else ""
    for line in text[: text.rfind("\n") + 1].splitlines():
        run_id, step_id, attempt, what, at = line.split()
        found[run_id].append(Effect(step_id, int(attempt), what, float(at)))
    return found


def faults(run_ids: Iterable[str], ledger: Path) -> list[str]:
    """Whatever breaks an invariant in these runs, all of which should have ended by now."""
    asked = list(run_ids)
    effects = read(ledger)
    found = [f"{run_id}: {fault}" for run_id in asked for fault in _of_run(run_id, effects.get(run_id, []))]
    mine = set(asked)
    return found + [
        f"{each.subject}: {each.invariant}: {each.explanation}"
        for each in doctor.examine(everything=True)
        if each.severity != "info" and each.subject.split("/")[0] in mine
    ]


def numbers(run_ids: Iterable[str], ledger: Path) -> Counter[str]:
    """What these runs came to: runs by status, steps, attempts by outcome, effects."""
    counted: Counter[str] = Counter()
    effects = read(ledger)
    for run_id in run_ids:
        run = runs.get(TENANT, run_id)
        counted[f"run {run.status}"] += 1
        counted["steps"] += len(steps.of_run(run.id))
        counted.update(f"attempt {attempt.outcome}" for attempt in attempts.of_run(run.id))
        counted["effects"] += len(effects.get(run_id, []))
    return counted


def _of_run(run_id: str, effects: list[Effect]) -> Iterator[str]:
    run = runs.get(TENANT, run_id)
    told = events.after(UUID(run_id), 0, limit=100_000)
    if run.finished_at is None:
        yield f"has not ended: {run.status}, phase {run.phase}, {run.open_steps} open steps"
    else:
        yield from _ended(run, told)
    yield from _events(told)
    for step in steps.of_run(run.id):
        mine = [effect for effect in effects if effect.step_id == step.id]
        yield from (f"step {step.id} ({step.tool}, {step.status}) {fault}" for fault in _of_step(step, told, mine))


def _ended(run: runs.Run, told: list[dict[str, Any]]) -> Iterator[str]:
    if run.open_steps != 0:
        yield f"has ended and counts {run.open_steps} open steps"
    if run.phase is not None or run.phase_worker is not None:
        yield f"has ended and is still owned (phase {run.phase}, {run.phase_worker})"
    if not told or told[-1]["name"] != f"run.{run.status}":
        yield f"is {run.status}, but its last event is {told[-1]['name'] if told else 'missing'}"


def _events(told: list[dict[str, Any]]) -> Iterator[str]:
    if [event["seq"] for event in told] != list(range(1, len(told) + 1)):
        yield "its events are not numbered 1, 2, 3 …"
    if [event["name"] for event in told[:-1] if event["name"] in TERMINAL]:
        yield "something was told after its end"
    revisions = [event["data"]["revision"] for event in told if event["name"] == "plan.created"]
    if revisions != list(range(1, len(revisions) + 1)):
        yield f"it was planned twice: revisions {revisions}"
    if [event["name"] for event in told].count("answer.completed") > 1:
        yield "it was answered twice"


def _of_step(step: steps.Step, told: list[dict[str, Any]], effects: list[Effect]) -> Iterator[str]:
    mine = [event for event in told if event["stepId"] == step.id]
    yield from _order(step, mine)
    tried = [attempt.attempt for attempt in attempts.of_step(step.run_id, step.id) if attempt.outcome == "succeeded"]
    if len(tried) > 1:
        yield f"finished {len(tried)} times"
    if step.status not in OPEN and step.finished_at is None:
        yield "is settled at no time"
    if step.status == "succeeded" and step.unmet:
        yield f"ran with {step.unmet} unmet dependencies"
    yield from _effects(step, mine, effects)


def _order(step: steps.Step, mine: list[dict[str, Any]]) -> Iterator[str]:
    """Attempts are told in order, and nothing begins after the end unless a person reopened the step."""
    last, ended = 0, False
    for event in mine:
        if event["name"] == "step.started":
            if ended:
                yield f"was begun again after it had ended (attempt {event['data']['attempt']})"
            if event["data"]["attempt"] <= last:
                yield f"told attempt {event['data']['attempt']} after attempt {last}"
            last = event["data"]["attempt"]
        elif event["name"] == "step.reopened":
            ended = False
        elif event["name"] in ENDS:
            if ended:
                yield f"ended twice ({event['name']})"
            ended = True
    by_hand = any(event["data"].get("by") for event in mine)  # raises the fence without an attempt
    if last > step.attempt or (last < step.attempt and not by_hand):
        yield f"is at attempt {step.attempt}, and the last one told is {last}"


def _effects(step: steps.Step, mine: list[dict[str, Any]], effects: list[Effect]) -> Iterator[str]:
    """What the outside saw: only claimed attempts, nothing after the end, as often as the effect allows."""
    claimed = {event["data"]["attempt"] for event in mine if event["name"] == "step.started"}
    reopened = sum(event["name"] == "step.reopened" for event in mine)
    done = Counter(effect.what for effect in effects)
    for attempt in {effect.attempt for effect in effects} - claimed:
        yield f"had an effect in attempt {attempt}, which was never claimed"
    if step.status == "succeeded" and step.finished_at and not reopened:
        late = [effect for effect in effects if effect.at > step.finished_at.timestamp() + 0.005]
        if any(effect.attempt == step.attempt for effect in late):
            yield "had an effect after it had finished"
    for what in ("verified", "unsafe"):
        if done[what] > 1 + reopened:
            yield f"had its {what} effect {done[what]} times"
    by_hand = any(event["name"] == "step.succeeded" and event["data"].get("by") for event in mine)
    asked = step.tool in {"verified_effect", "unsafe_effect"} and step.status == "succeeded"
    if asked and not reopened and not by_hand:
        what = step.tool.removesuffix("_effect")
        if done[what] != 1:
            yield f"succeeded with {done[what]} {what} effects"
    keys = {what for what in done if what.startswith("key=")}
    if len(keys) > 1 + reopened:
        yield f"was given {len(keys)} idempotency keys"
