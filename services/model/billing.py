"""The bill of a model call: reserved before it, settled after it, on record for whoever asks what a run has cost.

A call under a budget is held to what it reserved by the endpoint's own limit on the tokens that it may write. What the
budget has, but calls under way hold, is waited for.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span

from services import database, settings
from services.errors import Failed, Retryable
from services.journal import event_feed
from services.model import endpoints
from services.model.endpoints import Endpoint
from services.model.shapes import Message, Usage
from services.spending import budgets, payers, prices
from services.spending.payers import Payer
from services.tracing import spans

CHARACTERS_PER_TOKEN = 3  # fewer than of English text (4), so that the estimate is rather too high
LEAST_OUTPUT = 64  # tokens: with less, an answer is worth nothing
GRACE = 30.0  # seconds after a call's deadline before its reservation is forfeit
PATIENCE = 60.0  # seconds to wait for what other calls hold
POLL = 0.1


@dataclass
class Bill:
    """Of one call; settled once, however the call ends.

    options: what holds the endpoint to the reservation. size: of the prompt, in tokens as estimated.
    """

    endpoint: Endpoint
    payer: Payer | None
    options: dict[str, Any] = field(default_factory=dict)
    reservation: str | None = None
    degraded: bool = False
    fallback: bool = False
    size: int = 0
    span: Span = trace.INVALID_SPAN

    def settle(self, usage: Usage, model: str, written: int) -> None:
        """Record what it took (nothing, when it failed), and give back the rest of what was reserved.

        written: characters that came; where the endpoint does not count, or was cut short, they are what is known.
        """
        if usage == Usage() and written:
            usage = Usage(self.size, written // CHARACTERS_PER_TOKEN + 1)
        spans.model_answered(self.span, model, usage.prompt_tokens, usage.completion_tokens)
        if self.payer is None:
            return
        price = prices.of_model(model) or prices.of_model(self.endpoint.model)
        cost = price.of(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) if price else None
        taken = {
            "reservation": self.reservation,
            "tenant": self.payer.tenant,
            "run_id": self.payer.run_id,
            "holder": self.payer.holder,
            "agent": self.payer.agent,
            "model": model,
            "input_tokens": usage.prompt_tokens,
            "output_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
            "cost": cost,
            "degraded": self.degraded or None,
            "fallback": self.fallback or None,
        }
        if self.reservation or usage != Usage():
            event_feed.publish(database.call("record_model_call", database.json(taken)))


def opened(messages: Sequence[Message], *, seconds: float, instead: Endpoint | None = None) -> Bill:
    """As `_opened`; the call's span begins with it and ends when it is settled."""
    bill = _opened(messages, seconds, instead)
    bill.span = spans.model_called(bill.endpoint.model, bill.endpoint.host, messages)
    return bill


def _opened(messages: Sequence[Message], seconds: float, instead: Endpoint | None) -> Bill:
    """A bill for a call of the payer's model, or of the cheaper one where the budget says so (on_exceed: degrade).

    instead: the fallback that is asked for it. Raises BudgetExceeded, and Retryable where other calls hold what is left
    for too long.
    """
    payer = payers.current()
    endpoint = instead or endpoints.current(payer.model if payer else None)
    size = sum(len(message["content"]) for message in messages) // CHARACTERS_PER_TOKEN + 8 * len(messages)
    if payer is None or not payer.accounts:
        return Bill(endpoint, payer, size=size, fallback=instead is not None)
    cheap = settings.current().cheap_model
    try:
        bill = _reserved(endpoint, payer, size, seconds)
        bill.fallback = instead is not None
        return bill
    except _Refused as refused:
        if refused.why.on_exceed != "degrade" or cheap is None or cheap == endpoint.model:
            raise refused.why from None
    try:
        bill = _reserved(endpoints.current(cheap), payer, size, seconds)
    except _Refused as refused:
        raise refused.why from None
    bill.degraded = True
    return bill


class _Refused(Exception):
    def __init__(self, why: Any) -> None:
        super().__init__()
        self.why = why


def _reserved(endpoint: Endpoint, payer: Payer, size: int, seconds: float) -> Bill:
    until = time.monotonic() + PATIENCE
    while True:
        output = _affordable(endpoint, budgets.left(payer.tenant, payer.accounts), size)
        if output is not None:
            price = prices.of_model(endpoint.model)
            amounts = {"tokens": float(size + output), "money": price.of(size, output) if price else 0.0}
            held = budgets.reserve(payer.tenant, payer.accounts, amounts, seconds + GRACE)
            if held is not None:
                return Bill(endpoint, payer, {endpoint.output_limit: output}, held, size=size)
        if time.monotonic() > until:
            raise Retryable("What is left of the budget is held by other calls.", retry_after=5)
        time.sleep(POLL)


def _affordable(endpoint: Endpoint, left: dict[str, budgets.Left], size: int) -> int | None:
    """How many tokens the call may write; None while calls under way hold what it needs. Raises _Refused."""
    wanted = settings.current().max_output_tokens
    most_now = most_ever = float(wanted)
    for dimension, rest in left.items():
        assert rest.now is not None and rest.settled is not None
        if dimension == "seconds" and rest.now <= 0:
            raise _Refused(budgets.exceeded(dimension, rest.limit, rest.account, rest.on_exceed))
        if dimension not in ("tokens", "money"):
            continue
        now, ever = (_output_for(endpoint, dimension, amount, size) for amount in (rest.now, rest.settled))
        if ever < LEAST_OUTPUT:
            raise _Refused(budgets.exceeded(dimension, rest.limit, rest.account, rest.on_exceed))
        most_now, most_ever = min(most_now, now), min(most_ever, ever)
    return int(most_now) if most_now >= min(LEAST_OUTPUT, most_ever) else None


def _output_for(endpoint: Endpoint, dimension: str, amount: float, size: int) -> float:
    """How many tokens of output this amount pays for, after so many of input."""
    if dimension == "tokens":
        return amount - size
    price = prices.of_model(endpoint.model)
    if price is None:
        raise Failed(
            f"There is a budget of money, and the price of {endpoint.model} is not known: name it in PERDURE_PRICES."
        )
    return (amount - price.of(size, 0)) / max(price.output, 1e-9) * 1_000_000
