"""The comparison as a picture: `python -m benchmarks.plot FIGURES.json OUT.svg`, in the peers' environment."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from benchmarks import figures
from benchmarks.peers import NAMES

PANELS: list[tuple[str, Callable[[Any], float | None]]] = [
    ("W1, one run (ms)", lambda peer: figures.one(peer, "W1")),
    ("W1, 200 at once (steps/s)", lambda peer: figures.speed(peer, "W1")),
    ("W1, processor time (ms a step)", lambda peer: figures.processor(peer, "W1")),
    ("W2, one run (ms)", lambda peer: figures.one(peer, "W2")),
    ("W2, 200 at once (steps/s)", lambda peer: figures.speed(peer, "W2")),
    ("W3, 20 at once (÷ critical path)", lambda peer: None if "floor" in peer["title"] else figures.lattices(peer)),
]


def main(source: str, target: str) -> None:
    """Draw six panels of bars, Perdure's in the strong colour."""
    found = json.loads(Path(source).read_text())["peers"]
    peers = {name: found[name] for name in NAMES if "together" in found.get(name, {})}
    names = [peer["title"].split(" (")[0].split(":")[0].split(", ")[0] for peer in peers.values()]
    names = [f"{short}, defaults" if key == "absurd_defaults" else short for short, key in zip(names, peers)]
    matplotlib.rcParams["svg.hashsalt"] = "perdure"  # the same figures give the same file
    matplotlib.rcParams["svg.fonttype"] = "none"
    drawing = Figure(figsize=(13, 6.5), layout="constrained")
    for axis, (title, value) in zip(drawing.subplots(2, 3).flat, PANELS):
        values = [value(peer) or 0 for peer in peers.values()]
        colours = ["#1f6feb" if name == "perdure" else "#b8c0cc" for name in peers]
        bars = axis.barh(names, values, color=colours)
        axis.bar_label(bars, [_shown(number) for number in values], padding=3, fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.invert_yaxis()
        axis.margins(x=0.18)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=8)
    drawing.savefig(target, **({"metadata": {"Date": None}} if target.endswith("svg") else {}))


def _shown(number: float) -> str:
    if not number:
        return ""
    return f"{number:.3g}" if number < 100 else f"{number:,.0f}"


if __name__ == "__main__":
    main(*sys.argv[1:])
