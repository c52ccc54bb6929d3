"""A plan that a model writes for three seconds: `python -m benchmarks.planning [--rounds N]`.

The same six steps in three ways, through the real gateway and workers: started while the plan is written, after the
whole plan has come, and one after the other. Prints seconds from POST to run.succeeded and their ratios.
"""

import argparse
import json
import os
import statistics
import time
from typing import Any

from benchmarks import engine
from services import settings
from tests.scripted_model import Reply, ScriptedModel, text

WRITING = 3.0  # seconds
STEP = 0.45
# each step with what it waits for: a critical path of four steps
STEPS = {"s1": [], "s2": [], "s3": ["s1"], "s4": ["s2"], "s5": ["s3", "s4"], "s6": ["s5"]}
CRITICAL_PATH = 4 * STEP


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    with ScriptedModel() as model, engine.servers() as (home, _):
        os.environ.update(OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-scripted")
        settings.current.cache_clear()
        with engine.processes(home) as bench:
            seconds = {
                name: statistics.median(_one(bench, model, reply) for _ in range(rounds))
                for name, reply in {"while it is written": eager(), "after it": whole(), "in turn": in_turn()}.items()
            }
    bound = 1.15 * max(WRITING, CRITICAL_PATH) + 0.3
    for name, took in seconds.items():
        print(f"{name:20} {took:5.2f} s  {took / max(WRITING, CRITICAL_PATH):4.2f} × the longer of plan and path")
    print(f"bound for the first: {bound:.2f} s ({'met' if seconds['while it is written'] <= bound else 'missed'})")


def eager() -> Reply:
    """Each step comes when it is written."""
    pieces = [json.dumps(_step(name, waits_for)) for name, waits_for in STEPS.items()]
    chunks = [f'{{"steps": [{pieces[0]}', *(f", {piece}" for piece in pieces[1:]), "]}"]
    return Reply(chunks=chunks, delay=WRITING / len(chunks))


def whole() -> Reply:
    """The plan comes at once when it is done."""
    return Reply(chunks=[json.dumps({"steps": [_step(*one) for one in STEPS.items()]})], delay=WRITING)


def in_turn() -> Reply:
    """The same, and each step waits for the one before."""
    names = list(STEPS)
    steps = [_step(name, names[max(at - 1, 0) : at]) for at, name in enumerate(names)]
    return Reply(chunks=[json.dumps({"steps": steps})], delay=WRITING)


def _step(name: str, waits_for: list[str]) -> dict[str, Any]:
    return {"id": name, "tool": "sleep", "arguments": {"seconds": STEP}, "dependsOn": waits_for}


def _one(bench: engine.Bench, model: ScriptedModel, reply: Reply) -> float:
    model.says(reply, text("Done."))
    begun = time.time()
    run = bench.ended(bench.ask("Sleep for a while"), every=0.02)
    assert run.finished_at
    return run.finished_at.timestamp() - begun


if __name__ == "__main__":
    main()
