"""/api/policies: the rules that allow, ask for or deny calls; the first that fits decides."""

from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Blueprint, Response
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field, field_validator
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Id, Time
from services import clock
from services.approvals import policies
from services.approvals.policies import Policy
from services.errors import NotFound

blueprint = Blueprint("policies", __name__)

Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Rule(bodies.Body):
    """tool, agent: patterns like `mail_*`. arguments: by name, a pattern or a JSON Schema. See services/approvals."""

    decision: Literal["allow", "ask", "deny"]
    tool: Pattern = "*"
    agent: Pattern | None = None
    arguments: dict[str, str | dict[str, Any]] | None = Field(None, max_length=50)
    even_tainted: bool = False
    expires: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None
    position: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    note: Annotated[str, Field(max_length=1_000)] | None = None

    @field_validator("arguments")
    @classmethod
    def _schemas(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        for wanted in (value or {}).values():
            if isinstance(wanted, dict):
                try:
                    Draft202012Validator.check_schema(wanted)
                except SchemaError as error:
                    raise ValueError(f"has something that is not a JSON Schema: {error.message}") from error
        return value


class ShownRule(TypedDict):
    """A rule. expires: seconds after which an approval that it asks for lapses."""

    id: Id
    position: int
    decision: Literal["allow", "ask", "deny"]
    tool: str
    agent: str | None
    arguments: dict[str, Any] | None
    evenTainted: bool
    expires: float | None
    note: str | None
    createdAt: Time


class RemovedRule(TypedDict):
    """What was dropped."""

    id: str


@blueprint.get("/api/policies")
@declare.operation(gives=Page[ShownRule])
def listed() -> Response:
    """The rules in the order in which they are looked at."""
    return wire.reply(queries.all_of(policies.listed(_tenant()), _shown))


@blueprint.post("/api/policies")
@declare.operation(takes=Rule, gives={201: ShownRule}, example={"decision": "ask", "tool": "mail_*"})
def add() -> Response:
    """A new rule; workers obey it within a second."""
    asked, _ = bodies.read(Rule)
    return wire.reply(_shown(policies.add(_tenant(), asked.model_dump())), status=201)


@blueprint.delete("/api/policies/<policy_id>")
@declare.operation(gives=RemovedRule)
def remove(policy_id: str) -> Response:
    """Drop a rule."""
    try:
        policies.remove(_tenant(), UUID(policy_id))
    except ValueError as error:
        raise NotFound(f"There is no policy {policy_id[:80]}.") from error
    return wire.reply({"id": policy_id})


def _shown(rule: Policy) -> ShownRule:
    return {
        "id": str(rule.id),
        "position": rule.position,
        "decision": rule.decision,  # type: ignore[typeddict-item]
        "tool": rule.tool,
        "agent": rule.agent,
        "arguments": rule.arguments,
        "evenTainted": rule.even_tainted,
        "expires": rule.expires,
        "note": rule.note,
        "createdAt": clock.to_wire(rule.created_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
