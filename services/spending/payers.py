"""Whose call it is: what a model call or a tool call is charged to, known to all that happens inside a block."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from services import settings


@dataclass(frozen=True)
class Payer:
    """A phase or a step of a run. holder: the step's id, or the phase. accounts: the budgets that the run draws on.
    model: what its agent asks instead of PERDURE_MODEL. replay: of a run that is told what is recorded, here too."""

    tenant: str
    run_id: str | None = None
    holder: str | None = None
    agent: str | None = None
    accounts: tuple[str, ...] = ()
    model: str | None = None
    replay: dict[str, Any] | None = None


_payer: ContextVar[Payer | None] = ContextVar("payer", default=None)


def current() -> Payer | None:
    """Whose call it is, or None outside of runs."""
    return _payer.get()


def of_phase(run: dict[str, Any], holder: str) -> Payer:
    """The payer of a claimed phase (`run` as runs.claim_phase gives it)."""
    profile = run.get("profile") or {}
    replay = profile.get("replay")
    if replay and replay["live"] and (holder == "answer" or run["plan_revision"] > 0):
        replay = None
    return Payer(run["tenant"], run["id"], holder, run["agent"], tuple(run["accounts"]), profile.get("model"), replay)


def model_answers() -> bool:
    """Whether a model answers here: one is configured, or its replies are recorded."""
    payer = current()
    return bool(payer.replay["model"]) if payer and payer.replay else settings.current().model_configured


@contextmanager
def paying(payer: Payer) -> Iterator[None]:
    """Charge what happens inside the block to it."""
    token = _payer.set(payer)
    try:
        yield
    finally:
        _payer.reset(token)
