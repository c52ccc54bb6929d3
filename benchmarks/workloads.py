"""The plans that the engine is measured with."""

from typing import Any

Plan = dict[str, Any]


def chain(length: int = 10) -> Plan:
    """W1: no-op steps, one after the other."""
    return {"steps": [_step(f"s{n}", "noop", [f"s{n - 1}"] if n else []) for n in range(length)]}


def fan(width: int = 16) -> Plan:
    """W2: no-op steps side by side, and one that joins them."""
    ids = [f"s{n}" for n in range(width)]
    return {"steps": [*(_step(name, "noop", []) for name in ids), _step("join", "noop", ids)]}


def lattice(seconds: float = 0.05) -> Plan:
    """W3: 20 steps that take `seconds` each, up to five at a time, six in the longest line."""
    steps: list[dict[str, Any]] = []
    before: list[str] = []
    for width in (1, 5, 5, 5, 3, 1):
        layer = [f"s{len(steps) + n}" for n in range(width)]
        for n, name in enumerate(layer):
            needs = before if width == 1 else [before[n % len(before)]]
            steps.append({**_step(name, "sleep", needs), "arguments": {"seconds": seconds}})
        before = layer
    return {"steps": steps}


LATTICE_CRITICAL_PATH = 6


def _step(name: str, tool: str, needs: list[str]) -> dict[str, Any]:
    return {"id": name, "tool": tool, "dependsOn": needs}
