"""The figures as docs/performance.md tells them: what is between its markers is written anew by each run."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import figures, peers, targets
from benchmarks.figures import Figures

PAGE = peers.ROOT / "docs" / "performance.md"
PLOT = peers.ROOT / "docs" / "performance.svg"
NONE = "–"


def write(file: Path, python: Path, *, quick: bool) -> None:
    """Put the report of that file into the page (a quick one beside the raw figures, since it says little)."""
    text = page(json.loads(file.read_text()))
    if quick:
        file.with_suffix(".md").write_text(text)
        plot = file.with_suffix(".svg")
        print(text)
    else:
        put(PAGE, "peers", text)
        plot = PLOT
    subprocess.run([str(python), "-m", "benchmarks.plot", str(file), str(plot)], cwd=peers.ROOT, check=False)


def section(marker: str, text: str, *, quick: bool) -> None:
    """One of Perdure's own sections: printed, and put into the page unless it was only a quick look."""
    print(text, flush=True)
    if not quick:
        put(PAGE, marker, text)


def put(page: Path, marker: str, text: str) -> None:
    """Replace what stands between the two markers of that name."""
    before, opening, rest = page.read_text().partition(f"<!-- {marker}: begin -->\n")
    _, closing, after = rest.partition(f"<!-- {marker}: end -->")
    if not opening or not closing:
        raise ValueError(f"{page} lacks the markers of {marker}")
    page.write_text(f"{before}{opening}{text.strip()}\n{closing}{after}")


def page(run: Figures) -> str:
    """The generated part, in Markdown."""
    found = {name: run["peers"][name] for name in peers.NAMES if name in run["peers"]}
    measured = {name: peer for name, peer in found.items() if "together" in peer}
    missing = [
        f"- Not measured to the end: **{one['title']}**: {one['not_here']}"
        for one in found.values()
        if "not_here" in one
    ]
    parts = [_machine(run), _table(COLUMNS, measured), *(["\n".join(missing)] if missing else [])]
    parts.append("### The targets\n\n" + targets.table(measured))
    parts.append("### As ratios to Perdure\n\n" + _ratios(measured))
    parts.append("### After kill -9 of a worker (W4)\n\n" + _table(KILLED, measured))
    parts.append("### What a step costs (W1, together)\n\n" + _table(COST, measured))
    parts.append("### Where the processor time goes (W1, ms a step)\n\n" + _by_part(measured))
    parts.append("### Set-ups\n\n" + "\n".join(_setup(peer) for peer in measured.values()))
    return "\n\n".join(parts)


def _machine(run: Figures) -> str:
    load = run["load"]
    return (
        f"Measured {run['at']} on {run['cores']} cores ({run['processor']}), {run['memory_gib']} GiB, "
        f"{run['system']}; load average before the run {load[0]:.2f} (1 min), {load[1]:.2f} (5 min)."
        + (" **Quick sizes: only to see that everything works.**" if run["quick"] else "")
    )


Column = tuple[str, Callable[[Figures], Any], str]
COLUMNS: list[Column] = [
    ("W1 one run, ms", lambda peer: figures.one(peer, "W1"), ".1f"),
    ("its steps, ms", lambda peer: figures.one(peer, "W1", "steps_ms"), ".1f"),
    ("W1 steps/s", lambda peer: figures.speed(peer, "W1"), ",.0f"),
    ("CPU ms/step", lambda peer: figures.processor(peer, "W1"), ".2f"),
    ("W2 one run, ms", lambda peer: figures.one(peer, "W2"), ".1f"),
    ("its steps, ms", lambda peer: figures.one(peer, "W2", "steps_ms"), ".1f"),
    ("W2 steps/s", lambda peer: figures.speed(peer, "W2"), ",.0f"),
    ("W3 ÷ critical path", figures.makespan, ".2f"),
    ("its steps ÷ critical path", lambda peer: figures.makespan(peer, "steps_ms"), ".2f"),
    ("many W3 ÷ critical path", figures.lattices, ".2f"),
]


def _first(peer: Figures) -> Figures:
    run: Figures = peer["together"]["1"]["W1"][0]
    return run


COST: list[Column] = [
    ("writing transactions a step", lambda peer: _first(peer)["commits_per_step"], ".2f"),
    ("bytes of Postgres's log a step", lambda peer: _first(peer)["log_bytes_per_step"], ",.0f"),
    ("client's CPU, ms a step", lambda peer: _first(peer)["client_cpu_ms_per_step"], ".2f"),
    ("accepting a run, ms", lambda peer: figures.one(peer, "W1", "accepted_ms"), ".1f"),
]


def _spread(values: list[float], form: str) -> str:
    low, high = min(values), max(values)
    return f"{low:{form}}" if f"{low:{form}}" == f"{high:{form}}" else f"{low:{form}}–{high:{form}}"


def _went_on(peer: Figures) -> str:
    alone = [kill["seconds"] for kill in peer["kills"] if kill["by_itself"]]
    by_hand = [kill["seconds"] for kill in peer["kills"] if not kill["by_itself"] and kill["ended"]]
    lost = sum(not kill["ended"] for kill in peer["kills"])
    said = [f"by itself in {_spread(alone, '.1f')} s"] if alone else []
    said += [f"not by itself; {_spread(by_hand, '.1f')} s after a person started it again"] if by_hand else []
    return "; ".join([*said, *([f"never ({lost} of {len(peer['kills'])})"] if lost else [])])


KILLED: list[Column] = [
    ("the run goes on", _went_on, ""),
    ("effects written twice", lambda peer: _spread([kill["doubled"] for kill in peer["kills"]], "d"), ""),
    ("of steps that had ended", lambda p: _spread([k["doubled_though_done"] for k in p["kills"]], "d"), ""),
    ("steps in flight in the dead worker", lambda p: _spread([k["in_flight_at_victim"] for k in p["kills"]], "d"), ""),
]


def _table(columns: list[Column], measured: dict[str, Figures]) -> str:
    rows = [["", *(heading for heading, _, _ in columns)], ["---"] * (len(columns) + 1)]
    for name, peer in measured.items():
        cells = [_cell(value, form, peer) for _, value, form in columns]
        rows.append([f"**{peer['title']}**" if name == "perdure" else peer["title"], *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: Callable[[Figures], Any], form: str, peer: Figures) -> str:
    try:
        found = value(peer)
    except (KeyError, ValueError):  # a peer that broke off half way
        found = None
    return NONE if found is None else format(found, form)


def _ratios(measured: dict[str, Figures]) -> str:
    """Above 1: Perdure is better by so much, whichever way the figure counts."""
    if "perdure" not in measured:
        return "Perdure was not measured."
    ours = measured["perdure"]

    def against(value: Callable[[Figures], Any], more_is_better: bool) -> Callable[[Figures], Any]:
        def ratio(peer: Figures) -> float | None:
            theirs, mine = value(peer), value(ours)
            return (mine / theirs if more_is_better else theirs / mine) if theirs and mine else None

        return ratio

    columns: list[Column] = [
        (heading, against(value, "/s" in heading), ".2f") for heading, value, _ in COLUMNS if heading[:3] != "its"
    ]
    others = {name: peer for name, peer in measured.items() if name != "perdure"}
    return "Above 1, Perdure is the better by that factor.\n\n" + _table(columns, others)


def _by_part(measured: dict[str, Figures]) -> str:
    lines = []
    for peer in measured.values():
        parts = sorted(_first(peer)["cpu_ms_per_step"].items(), key=lambda item: -item[1])
        said = ", ".join(f"{part} {used:.2f}" for part, used in parts if used >= 0.005)
        lines.append(f"- {peer['title']}: {said}")
    return "\n".join(lines)


def _setup(peer: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in peer["versions"].items())
    return f"- **{peer['title']}**: {peer['setup']} ({versions}; {peer['at']}, load before {peer['load_before']:.2f})"
