"""The plans that everything is measured with."""

from typing import Any

Plan = dict[str, Any]

LATTICE_CRITICAL_PATH = 6
STEP_SECONDS = 0.05


def chain(length: int = 10) -> Plan:
    """W1: no-op steps, one after the other."""
    return {"steps": [_step(f"s{n}", "noop", [f"s{n - 1}"] if n else []) for n in range(length)]}


def fan(width: int = 16) -> Plan:
    """W2: no-op steps side by side, and one that joins them."""
    ids = [f"s{n}" for n in range(width)]
    return {"steps": [*(_step(name, "noop", []) for name in ids), _step("join", "noop", ids)]}


def lattice(seconds: float = STEP_SECONDS, tool: str = "sleep") -> Plan:
    """W3: 20 steps that take `seconds` each, up to five at a time, six in the longest line."""
    steps: list[dict[str, Any]] = []
    before: list[str] = []
    for width in (1, 5, 5, 5, 3, 1):
        layer = [f"s{len(steps) + n}" for n in range(width)]
        for n, name in enumerate(layer):
            needs = before if width == 1 else [before[n % len(before)]]
            steps.append({**_step(name, tool, needs), "arguments": {"seconds": seconds}})
        before = layer
    return {"steps": steps}


def plan(workload: str, tool: str = "sleep") -> Plan:
    """The plan called W1, W2 or W3; `tool` is what the steps of W3 call."""
    return {"W1": chain, "W2": fan}[workload]() if workload != "W3" else lattice(tool=tool)


def steps(workload: str) -> list[tuple[str, list[str]]]:
    """The same as step and what it needs, in an order that can be run one after the other."""
    return [(step["id"], step["dependsOn"]) for step in plan(workload)["steps"]]


def waves(workload: str) -> list[list[str]]:
    """The same in layers, each of which needs only the layers before it: for peers that have no finer joins."""
    depth: dict[str, int] = {}
    for step, needs in steps(workload):
        depth[step] = max((depth[need] + 1 for need in needs), default=0)
    return [[step for step in depth if depth[step] == level] for level in range(max(depth.values()) + 1)]


def _step(name: str, tool: str, needs: list[str]) -> dict[str, Any]:
    return {"id": name, "tool": tool, "dependsOn": needs}
