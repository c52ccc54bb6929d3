"""/api/agents: named profiles that runs are given by `agent`."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.budgets import Budget
from gateway.declare import Named, Page
from gateway.fields import Time
from services import clock
from services.agents import agents
from services.agents.agents import Agent, MemoryScope
from services.errors import BadInput, FieldError

MAX_NAME = 200
EXAMPLE = {"instructions": "Answer in one sentence.", "tools": ["calculate", "fetch_*"], "budget": {"steps": 20}}

blueprint = Blueprint("agents", __name__)

Pattern = Annotated[str, Field(min_length=1, max_length=200)]


class Profile(bodies.Body):
    """What an agent is. tools: patterns like `fetch_*`; none given means all. memory: user or none."""

    description: Annotated[str, Field(max_length=2_000)] | None = None
    instructions: Annotated[str, Field(max_length=20_000)] | None = None
    model: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    tools: Annotated[list[Pattern], Field(max_length=500)] | None = None
    budget: Budget | None = None
    memory: MemoryScope = "user"


class ShownAgent(TypedDict):
    """An agent as it is now; runs keep the one that they began with."""

    name: str
    description: str | None
    instructions: str | None
    model: str | None
    tools: list[str] | None
    budget: dict[str, Any] | None
    memory: MemoryScope
    createdAt: Time
    updatedAt: Time


@blueprint.get("/api/agents")
@declare.operation(gives=Page[ShownAgent])
def listed() -> Response:
    """All agents by name."""
    return wire.reply(queries.all_of(agents.listed(_tenant()), _shown))


@blueprint.get("/api/agents/<name>")
@declare.operation(gives=ShownAgent)
def show(name: str) -> Response:
    """One agent."""
    return wire.reply(_shown(agents.get(_tenant(), name)))


@blueprint.put("/api/agents/<name>")
@declare.operation(takes=Profile, gives=ShownAgent, example=EXAMPLE)
def put(name: str) -> Response:
    """Make this agent, or replace it; runs that have begun go on as it was."""
    asked, _ = bodies.read(Profile)
    if len(name) > MAX_NAME:
        raise BadInput(
            f"An agent's name has at most {MAX_NAME} characters.", errors=[FieldError("#/name", "is too long.")]
        )
    profile = asked.model_dump(exclude={"budget"}) | {"budget": asked.budget.to_row() if asked.budget else None}
    return wire.reply(_shown(agents.put(_tenant(), name, profile)))


@blueprint.delete("/api/agents/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Drop this agent."""
    agents.remove(_tenant(), name)
    return wire.reply({"name": name})


def _shown(agent: Agent) -> ShownAgent:
    budget = agent.budget
    return {
        "name": agent.name,
        "description": agent.description,
        "instructions": agent.instructions,
        "model": agent.model,
        "tools": agent.tools,
        "budget": {**budget["limits"], "onExceed": budget["onExceed"]} if budget else None,
        "memory": agent.memory,  # type: ignore[typeddict-item]
        "createdAt": clock.to_wire(agent.created_at),
        "updatedAt": clock.to_wire(agent.updated_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
