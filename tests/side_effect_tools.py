"""Tools whose effects are counted outside of Perdure: each call appends a line to a file. For PERDURE_TOOLS."""

import ctypes
import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from services import clock
from services.errors import Failed, Retryable
from services.tools.contract import Retry, ToolContext, WaitUntil, tool

LEDGER = "SIDE_EFFECT_LEDGER"


def _note(context: ToolContext, what: str) -> None:
    with Path(os.environ[LEDGER]).open("a") as ledger:
        ledger.write(f"{context.run_id} {context.step_id} {context.attempt} {what} {time.time():.3f}\n")


@tool(effect="idempotent", retry=Retry(attempts=10, base=0.05, cap=0.2))
def slow_effect(context: ToolContext, seconds: float = 0.3) -> dict[str, Any]:
    """Note the beginning, take a while, note the end."""
    _note(context, "begin")
    time.sleep(seconds)
    _note(context, "end")
    return {"step": context.step_id}


@tool(effect="idempotent", retry=Retry(attempts=10, base=0.05, cap=0.2))
def keyed_effect(context: ToolContext, seconds: float = 0) -> dict[str, Any]:
    """An effect that the other side would do once for each idempotency key, which is noted."""
    _note(context, f"key={context.idempotency_key}")
    time.sleep(seconds)
    return {"step": context.step_id}


@tool(effect="pure", retry=Retry(attempts=10, base=0.05, cap=0.2))
def waits(context: ToolContext, seconds: float = 1) -> dict[str, Any]:
    """Wait as a row, holding no worker."""
    _note(context, "waited" if context.waited else "waits")
    if not context.waited:
        raise WaitUntil(clock.now() + timedelta(seconds=seconds))
    return {"step": context.step_id}


@tool(effect="pure", retry=Retry(attempts=10, base=0.05, cap=0.2))
def waits_until(context: ToolContext, at: str) -> dict[str, Any]:
    """Wait for a moment of the day, which everybody's clock should agree on."""
    if not context.waited:
        raise WaitUntil(datetime.fromisoformat(at))
    return {"at": at}


@tool(effect="pure", retry=Retry(attempts=3, base=0.05, cap=0.1))
def fails_at_first(context: ToolContext, times: int = 1) -> dict[str, Any]:
    """Break on the first attempts."""
    _note(context, "try")
    if context.attempt <= times:
        raise RuntimeError("not yet")
    return {"attempt": context.attempt}


@tool(effect="pure", timeout=1, retry=Retry(attempts=2, base=0.05, cap=0.1))
def hangs(context: ToolContext) -> None:
    """Never come back."""
    _note(context, "hang")
    time.sleep(3600)


@tool(effect="idempotent", timeout=300, retry=Retry(attempts=10, base=0.05, cap=0.2))
def never_lets_go(context: ToolContext, seconds: float = 90) -> dict[str, Any]:
    """On its first attempt a call in C that keeps the interpreter for itself: no other thread of the process runs."""
    _note(context, "gripped")
    if context.attempt == 1:
        ctypes.PyDLL(None).sleep(int(seconds))  # a PyDLL's functions are called without letting go of the lock
    return {"attempt": context.attempt}


@tool(effect="pure", retry=Retry(attempts=2))
def kills_its_worker(context: ToolContext) -> None:
    """Take the whole worker process down."""
    _note(context, "poison")
    os.kill(os.getpid(), 9)


def _verified_happened(context: ToolContext, seconds: float = 3, ask_seconds: float = 0) -> dict[str, Any] | None:
    _note(context, "ask")
    time.sleep(ask_seconds)
    done = f"{context.run_id} {context.step_id} "
    lines = Path(os.environ[LEDGER]).read_text().splitlines()
    found = [line for line in lines if line.startswith(done) and line.split()[3] == "verified"]
    return {"found": True} if found else None


@tool(effect="verify", verify=_verified_happened, retry=Retry(attempts=4, base=0.05, cap=0.2))
def verified_effect(context: ToolContext, seconds: float = 3, ask_seconds: float = 0) -> dict[str, Any]:
    """An effect that can be looked up afterwards, then a while in which the worker may die."""
    _note(context, "verified")
    time.sleep(seconds)
    return {"found": False}


@tool(effect="unsafe", retry=Retry(attempts=5, base=0.05, cap=0.1))
def breaks_after_its_effect(context: ToolContext, fails: str = "breaks") -> None:
    """Have an unsafe effect, then break, or fail on purpose, or ask to be tried again."""
    _note(context, "unsafe")
    if fails == "breaks":
        raise RuntimeError("what now?")
    if fails == "retryable" and context.attempt == 1:
        raise Retryable("nothing happened yet")
    if fails == "failed":
        raise Failed("refused")


@tool(effect="unsafe")
def unsafe_effect(context: ToolContext, seconds: float = 3) -> dict[str, Any]:
    """An effect that must not be repeated."""
    _note(context, "unsafe")
    time.sleep(seconds)
    return {"done": True}


@tool(effect="unsafe", permission="ask")
def gated_effect(context: ToolContext, number: int = 0) -> dict[str, Any]:
    """An effect that somebody has to approve."""
    _note(context, f"number={number}")
    return {"number": number}


@tool(effect="pure", untrusted=True)
def reads_outside(context: ToolContext, text: str = "hello") -> dict[str, Any]:
    """Bring content from outside into the run."""
    return {"text": text}


@tool(effect="pure", egress=("url",), untrusted=True)
def looks_up(context: ToolContext, url: str) -> dict[str, Any]:
    """Read what is at a URL, which leaves as it is."""
    _note(context, f"url={url}")
    return {"url": url}


@tool(effect="pure")
def asks_a_model(prompt_file: str, text: str = "") -> dict[str, Any]:
    """Ask the model with a prompt that is a file, as a prompt in the code would be."""
    from services.model import provider

    completion = provider.complete(
        [{"role": "system", "content": Path(prompt_file).read_text()}, {"role": "user", "content": text}]
    )
    return {"text": completion.text}
