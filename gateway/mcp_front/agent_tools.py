"""Agents as tools: a call is a run. To a client that knows tasks it is one; any other is kept waiting for a while."""

from typing import Any

import orjson

from gateway import authentication
from gateway.mcp_front import rpc, tasks, tools, waiting
from gateway.mcp_front.eras import Call
from gateway.mcp_front.rpc import RpcError
from gateway.openai_front import asking
from gateway.openai_front.asking import Asked
from services.access.scopes import RUN
from services.agents import agents
from services.errors import NotFound

SCHEMA = {
    "type": "object",
    "properties": {
        "request": {"type": "string", "description": "What is to be done, in plain words."},
        "conversationId": {"type": "string", "description": "The conversation that this goes on with."},
        "userId": {"type": "string", "description": "Whose memory it has."},
    },
    "required": ["request"],
}
PERDURE = "Plan and carry out a request with all tools there are, and answer it."


def listed() -> list[dict[str, Any]]:
    """The agents as MCP lists tools; an agent that is called as a tool of ours is reached by start_run."""
    found = [(one.name, one.description) for one in agents.listed(authentication.caller().tenant)]
    return [
        {
            "name": name,
            "description": description or f"Have the agent {name} answer a request.",
            "inputSchema": SCHEMA,
            "annotations": {"readOnlyHint": False, "openWorldHint": True},
        }
        for name, description in [(asking.DEFAULT_MODEL, PERDURE), *found]
        if name not in tools.TOOLS
    ]


def call(name: str, arguments: dict[str, Any], call: Call) -> dict[str, Any]:
    """The run's task, or its answer, or (when it takes long) how to get it later. Raises RpcError for no agent."""
    authentication.ask_for(RUN)
    try:
        agent = asking.agent_of(name)
    except NotFound as error:
        raise RpcError(rpc.INVALID_PARAMS, f"There is no tool {name[:80]!r}.") from error
    conversation, user = (_text(arguments, field) for field in ("conversationId", "userId"))
    run = asking.start(Asked(_request(arguments)), agent or name, user=user, labels=None, conversation=conversation)
    if call.takes_tasks:
        return tasks.created(run)
    return tools.answered(waiting.until_it_needs_you(run, waiting.LONGEST))


def _request(arguments: dict[str, Any]) -> str:
    """A client that knows the agent by heart may send other arguments: they are the request then."""
    request = arguments.get("request")
    return request if isinstance(request, str) and request.strip() else orjson.dumps(arguments).decode()


def _text(arguments: dict[str, Any], field: str) -> str | None:
    value = arguments.get(field)
    if value is not None and not isinstance(value, str):
        raise RpcError(rpc.INVALID_PARAMS, f"`{field}` must be a string.")
    return value
