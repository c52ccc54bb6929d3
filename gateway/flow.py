"""/api/flow: limits of parallelism and rate per key, with their live counts; pause and resume a key."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import ConfigDict, Field, model_validator

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from services.access.scopes import OPERATE
from services.errors import NotAllowed
from services.flow import keys
from services.flow.keys import Limit
from services.pipeline import flow_turns

blueprint = Blueprint("flow", __name__)


class LimitRequest(bodies.Body):
    """parallelism: steps at once; rate: starts in any `period` seconds (1 when left out). At least one of the two."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                bodies.given("rate"),
                bodies.given("parallelism")
                | {"properties": {"parallelism": {"type": "integer"}, "period": {"type": "null"}}},
            ]
        }
    )

    parallelism: Annotated[int, Field(ge=1, le=100_000)] | None = None
    rate: Annotated[int, Field(ge=1, le=keys.MOST_STARTS)] | None = None
    period: Annotated[float, Field(gt=0, le=86_400)] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> "LimitRequest":
        if self.parallelism is None and self.rate is None:
            raise ValueError("give `parallelism` (steps at once) or `rate` (starts in a period), or both")
        if self.period is not None and self.rate is None:
            raise ValueError("`period` goes with `rate`")
        return self


@blueprint.get("/api/flow")
@declare.operation(gives=Page[Limit])
def listed() -> Response:
    """All limits that the caller's steps may meet."""
    return wire.reply(queries.all_of(keys.listed(_tenant()), _same))


@blueprint.get("/api/flow/<path:key>")
@declare.operation(gives=Limit)
def show(key: str) -> Response:
    """One limit with its live counts."""
    return wire.reply(_same(keys.get(_tenant(), key)))


@blueprint.put("/api/flow/<path:key>")
@declare.operation(takes=LimitRequest, gives=Limit, example={"parallelism": 2, "rate": 100, "period": 60})
def put(key: str) -> Response:
    """Make or change a limit; steps that have not begun obey it from now on."""
    asked, _ = bodies.read(LimitRequest)
    _may_change(key)
    period = None if asked.rate is None else asked.period or 1.0
    keys.set_limit(_tenant(), key, parallelism=asked.parallelism, rate=asked.rate, period=period)
    return _changed(key)


@blueprint.delete("/api/flow/<path:key>")
@declare.operation(gives=Limit)
def remove(key: str) -> Response:
    """Take the limit away; who waited goes on. Answers the limit as it was."""
    _may_change(key)
    before = keys.get(_tenant(), key)
    keys.remove(_tenant(), key)
    flow_turns.pass_on(keys.names_of(_tenant(), [key]))
    return wire.reply(_same(before))


@blueprint.post("/api/flow/<path:key>/<any(pause, resume):action>")
@declare.operation(gives=Limit)
def pause(key: str, action: Any) -> Response:
    """Let no step of this key start (steps at work may end), or let them start again."""
    _may_change(key)
    keys.pause(_tenant(), key, paused=action == "pause")
    return _changed(key)


def _changed(key: str) -> Response:
    flow_turns.pass_on(keys.names_of(_tenant(), [key]))
    return wire.reply(_same(keys.get(_tenant(), key)))


def _may_change(key: str) -> None:
    """Limits of the whole system are not for every tenant to change, nor a tenant's own limit for that tenant."""
    if keys.is_shared(key) and not authentication.caller().may(OPERATE):
        raise NotAllowed(f"{key} belongs to the whole system: only a key with the scope {OPERATE!r} may change it.")


def _tenant() -> str:
    return authentication.caller().tenant


def _same(limit: Limit) -> Limit:
    return limit  # its fields are named on the wire as here
