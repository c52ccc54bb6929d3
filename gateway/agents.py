"""/api/agents: named profiles that runs are given by `agent`."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from gateway import authentication, bodies, wire
from gateway.budgets import Budget
from services import clock
from services.agents import agents
from services.agents.agents import Agent, MemoryScope
from services.errors import BadInput, FieldError

MAX_NAME = 200

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


@blueprint.get("/api/agents")
def listed() -> Response:
    """All agents by name."""
    return wire.reply({"items": [_shown(agent) for agent in agents.listed(_tenant())], "next": None})


@blueprint.get("/api/agents/<name>")
def show(name: str) -> Response:
    """One agent."""
    return wire.reply(_shown(agents.get(_tenant(), name)))


@blueprint.put("/api/agents/<name>")
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
def remove(name: str) -> Response:
    """Drop this agent."""
    agents.remove(_tenant(), name)
    return wire.reply({"name": name})


def _shown(agent: Agent) -> dict[str, Any]:
    budget = agent.budget
    return {
        "name": agent.name,
        "description": agent.description,
        "instructions": agent.instructions,
        "model": agent.model,
        "tools": agent.tools,
        "budget": {**budget["limits"], "onExceed": budget["onExceed"]} if budget else None,
        "memory": agent.memory,
        "createdAt": clock.to_wire(agent.created_at),
        "updatedAt": clock.to_wire(agent.updated_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
