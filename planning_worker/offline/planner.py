"""Request → Plan: finds the cutting of the request whose clauses the skills understand best, then writes the steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from planning_worker.offline import clauses, note
from planning_worker.offline.reading import Draft, Reading, Scene
from planning_worker.offline.skills import SKILLS
from planning_worker.plan_request import PlanRequest, Turn
from services.journal import references
from services.journal.plan_shape import Plan, PlanStep
from services.phrases import spelling

_REMEMBERED_TURNS = 12
_LONGEST_SPAN = 12
_LONGEST_MENDED = 300  # characters


@dataclass(frozen=True)
class _Path:
    """The best way found to read the request up to some cut, with the text of each clause."""

    cost: float
    readings: tuple[Reading | None, ...] = ()
    texts: tuple[str, ...] = ()


def plan(request: PlanRequest) -> Plan:
    """A plan for what is understood, and a note that answers what needs no tool and declines what is not understood."""
    scene = Scene(request, earlier=_earlier(request))
    path = _best_path(request.request, scene)
    drafts = _without_stand_ins([draft for reading in path.readings if reading for draft in reading.steps])
    return Plan(steps=_steps(drafts), note=note.of(path.readings, path.texts))


def _earlier(request: PlanRequest) -> Reading | None:
    """The last thing understood in the conversation so far, read turn by turn."""
    last: Reading | None = None
    turns: Sequence[Turn] = request.turns[-_REMEMBERED_TURNS:]
    for index, turn in enumerate(turns):
        if turn.role == "user":
            past = Scene(replace(request, turns=list(turns[:index])), earlier=last)
            read = [
                reading for reading in _best_path(turn.text, past).readings if reading and reading.skill != "courtesy"
            ]
            last = read[-1] if read else last
    return last


def _best_path(text: str, scene: Scene) -> _Path:
    """Dynamic programming over the cuts: the cheapest way to read all of `text`."""
    cuts = clauses.cuts(text)
    best = [_Path(0)]
    for end in range(1, len(cuts)):
        ways = []
        for start in range(max(0, end - _LONGEST_SPAN), end):
            clause = text[cuts[start].end : cuts[end].start]
            ways.append(_extended(best[start], clause, cuts[start], scene))
        best.append(min(ways, key=lambda way: way.cost))
    return best[-1]


def _extended(path: _Path, clause: str, cut: clauses.Cut, scene: Scene) -> _Path:
    if not clause.strip():
        return path
    reading = _read(clause, replace(scene, before=path.readings, said="; ".join(path.texts)))
    if reading and cut.then:
        reading = _after_waits(reading, path.readings)
    words = len(clause.split())
    if reading is None:
        cost = 10 + 2.0 * words
    elif reading.declined:
        cost = 9 + 1.5 * words
    else:
        cost = 0.5 if reading.skill == "courtesy" else 1
    cost += 0.05 if cut.weak else 0  # where both will do, the request is cut between its sentences
    return _Path(path.cost + cost, (*path.readings, reading), (*path.texts, clause))


def _read(clause: str, scene: Scene) -> Reading | None:
    """How `clause` is understood: as it stands, else with misspelt words set right."""
    reading = _read_as_it_stands(clause, scene)
    if reading is None and len(clause) <= _LONGEST_MENDED and (mended := spelling.mended(clause)) != clause:
        return _read_as_it_stands(mended, scene)
    return reading


def _read_as_it_stands(clause: str, scene: Scene) -> Reading | None:
    """The first skill's reading of `clause` whose tools all exist here."""
    for skill, longest in SKILLS:
        if len(clause) > longest:
            continue
        reading = skill.read(clause, scene)
        if reading and all(draft.tool in scene.request.tools for draft in reading.steps):
            return reading
    return None


def _after_waits(reading: Reading, before: Sequence[Reading | None]) -> Reading:
    """ "Wait two seconds, then …": what follows has to come after the wait, though it refers to nothing of it."""
    waits = tuple(draft.id for earlier in before if earlier for draft in earlier.steps if draft.tool == "sleep")
    if not waits:
        return reading
    return replace(reading, steps=tuple(replace(draft, after=(*draft.after, *waits[-1:])) for draft in reading.steps))


def _without_stand_ins(drafts: list[Draft]) -> list[Draft]:
    """Each page fetched once, for all that is asked of it; no summary of a page that was opened for something else."""
    pages = [draft for draft in drafts if draft.tool == "fetch_page"]
    used = references.step_ids([dict(draft.arguments) for draft in drafts if not draft.stands_in])
    asked = {page.arguments["url"] for page in pages if page.why or page.id in used}
    idle = {page.id for page in pages if page.arguments["url"] in asked}
    kept: list[Draft] = []
    renamed: dict[str, str] = {}
    for draft in drafts:
        if draft.stands_in and references.step_ids(dict(draft.arguments)) & idle:
            continue
        twin = next((one for one in kept if _same_page(one, draft)), None)
        if twin is None:
            kept.append(draft)
            continue
        renamed[draft.id] = twin.id
        whys = dict.fromkeys(why for why in [*twin.why.split(" | "), *draft.why.split(" | ")] if why)
        kept[kept.index(twin)] = replace(twin, why=" | ".join(whys))
    return _renumbered(kept, renamed)


def _same_page(one: Draft, other: Draft) -> bool:
    return one.tool == other.tool == "fetch_page" and one.arguments["url"] == other.arguments["url"]


def _renumbered(drafts: list[Draft], renamed: dict[str, str]) -> list[Draft]:
    names = {draft.id: f"s{number}" for number, draft in enumerate(drafts, 1)}
    names |= {old: names[kept] for old, kept in renamed.items()}

    def rename(value: object) -> object:
        if isinstance(value, str):
            return re.sub(r"\$\{(s\d+)", lambda found: "${" + names.get(found[1], found[1]), value)
        return value

    return [
        replace(
            draft,
            id=names[draft.id],
            arguments={key: rename(value) for key, value in draft.arguments.items()},
            after=tuple(names[name] for name in draft.after if name in names),
        )
        for draft in drafts
    ]


def _steps(drafts: list[Draft]) -> list[PlanStep]:
    return [
        PlanStep(
            id=draft.id,
            tool=draft.tool,
            arguments=dict(draft.arguments),
            depends_on=list(draft.after),
            why=draft.why[:2000] or None,
        )
        for draft in drafts
    ]
