"""Parts of the client: conversations, agents and budgets, and what else can be asked of runs, queues and hooks."""

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.client_parts import Calls

if TYPE_CHECKING:
    from gateway.agents import ShownAgent
    from gateway.conversations import ListedConversation, ShownConversation, SpokenMessage
    from gateway.declare import Page
    from gateway.doctor import Examined
    from gateway.plans import PlanForecast, WrittenPlan
    from gateway.run_bulk import ChangedRuns
    from gateway.run_facts import Lineage
    from gateway.run_parts import StepAttempt
    from gateway.wire import RunSummary, ShownBudget


class ConversationCalls(Calls):
    """/api/conversations."""

    def conversations(self, **asked: Any) -> "Page[ListedConversation]":
        """A page of conversations, the last spoken in first. asked: userId, limit, cursor."""
        return self._call("GET", "/api/conversations", params=asked)

    def conversation(self, conversation_id: str) -> "ShownConversation":
        """One conversation."""
        return self._call("GET", f"/api/conversations/{quote(conversation_id)}")

    def messages_of(self, conversation_id: str, **asked: Any) -> "Page[SpokenMessage]":
        """A page of what was said, oldest first. asked: limit, cursor."""
        return self._call("GET", f"/api/conversations/{quote(conversation_id)}/messages", params=asked)

    def rename_conversation(self, conversation_id: str, title: str | None) -> "ShownConversation":
        """Give it a title, or take it away."""
        return self._call("PATCH", f"/api/conversations/{quote(conversation_id)}", json={"title": title})

    def fork_conversation(self, conversation_id: str, **fields: Any) -> "ShownConversation":
        """A new one that begins with what was said in this one. fields: id, upto."""
        return self._call("POST", f"/api/conversations/{quote(conversation_id)}/fork", json=fields, attempts=1)

    def forget_conversation(self, conversation_id: str) -> int:
        """Forget what was said in it; returns how many messages went."""
        return self._call("DELETE", f"/api/conversations/{quote(conversation_id)}", attempts=1)["forgotten"]


class AgentCalls(Calls):
    """/api/agents, /api/budgets, /api/doctor."""

    def agent(self, name: str) -> "ShownAgent":
        """One agent."""
        return self._call("GET", f"/api/agents/{quote(name)}")

    def put_agent(self, name: str, **fields: Any) -> "ShownAgent":
        """Make or replace an agent. fields: description, instructions, model, tools, budget, memory."""
        return self._call("PUT", f"/api/agents/{quote(name)}", json=fields)

    def remove_agent(self, name: str) -> None:
        """Drop an agent."""
        self._call("DELETE", f"/api/agents/{quote(name)}", attempts=1)

    def daily_budget(self) -> "ShownBudget":
        """The limits of a day, with what is spent today."""
        return self._call("GET", "/api/budgets/daily")

    def set_daily_budget(self, **limits: Any) -> "ShownBudget":
        """Limit a day: steps, toolCalls, tokens, money; onExceed."""
        return self._call("PUT", "/api/budgets/daily", json=limits)

    def drop_daily_budget(self) -> None:
        """Take the limits of a day away."""
        self._call("DELETE", "/api/budgets/daily", attempts=1)

    def set_run_budget(self, run_id: str, **limits: Any) -> "ShownBudget":
        """Give a run another budget; one that waits for it goes on."""
        return self._call("PUT", f"/api/runs/{run_id}/budget", json=limits)

    def doctor(self, *, fix: bool = False, everything: bool = False) -> "Examined":
        """Whether the invariants hold; fix: after mending what can be mended."""
        asked = {"everything": "true" if everything else "false"}
        if fix:
            return self._call("POST", "/api/doctor", params=asked, attempts=1)
        return self._call("GET", "/api/doctor", params=asked)


class RunCalls(Calls):
    """More of /api/runs."""

    def change_runs(self, action: str, wanted: dict[str, Any], *, dry_run: bool, **fields: Any) -> "ChangedRuns":
        """cancel, pause, resume or retry all runs that fit `wanted`; with dry_run only say which. fields: limit."""
        body = {"action": action, "filter": wanted, "dryRun": dry_run, **fields}
        return self._call("POST", "/api/runs/bulk", json=body, attempts=1)

    def steer(self, run_id: str, text: str) -> "RunSummary":
        """Add something while the run is under way."""
        return self._call("POST", f"/api/runs/{run_id}/steer", json={"text": text}, attempts=1)

    def reviews(self, **asked: Any) -> "Page[RunSummary]":
        """A page of the runs whose plan waits for a look. asked: limit."""
        return self._call("GET", "/api/reviews", params=asked)

    def plan(self, run_id: str) -> "WrittenPlan":
        """The newest plan as a caller would write it, and what it will take."""
        return self._call("GET", f"/api/runs/{run_id}/plan")

    def replace_plan(self, run_id: str, steps: list[dict[str, Any]], revision: int) -> "WrittenPlan":
        """Another plan for a run whose plan waits for a look; revision: of the one that it takes the place of."""
        return self._call("PUT", f"/api/runs/{run_id}/plan", json={"steps": steps, "revision": revision}, attempts=1)

    def preview_plan(self, plan: dict[str, Any]) -> "PlanForecast":
        """What a plan will take, if it keeps the rules."""
        return self._call("POST", "/api/plans/preview", json={"plan": plan})

    def run_now(self, run_id: str) -> "RunSummary":
        """Let a run that is held back begin now."""
        return self._call("POST", f"/api/runs/{run_id}/run-now", attempts=1)

    def lineage(self, run_id: str) -> "Lineage":
        """Where it comes from, and the forks made of it."""
        return self._call("GET", f"/api/runs/{run_id}/lineage")

    def attempts(self, run_id: str) -> "list[StepAttempt]":
        """Every ended attempt of every step."""
        return self._call("GET", f"/api/runs/{run_id}/attempts")["items"]

    def attempts_of_step(self, run_id: str, step_id: str) -> list[dict[str, Any]]:
        """Every ended attempt of one step."""
        return self._call("GET", f"/api/runs/{run_id}/steps/{quote(step_id)}/attempts")["items"]

    def poll(self, run_id: str, **asked: Any) -> dict[str, Any]:
        """The next events as {items, next}. asked: after, wait, modes."""
        return self._call("GET", f"/api/runs/{run_id}/events", params=asked)


class MoreCalls(Calls):
    """Single things of /api/schedules, /api/triggers, /api/webhooks, /api/queues, /api/url-groups, /api/mcp-servers."""

    def schedule(self, name: str) -> dict[str, Any]:
        """One schedule."""
        return self._call("GET", f"/api/schedules/{quote(name)}")

    def slots(self, name: str, **asked: Any) -> dict[str, Any]:
        """A page of the moments at which it was due, newest first. asked: limit, cursor."""
        return self._call("GET", f"/api/schedules/{quote(name)}/slots", params=asked)

    def backfill(self, name: str, since: str, until: str, *, dry_run: bool) -> list[dict[str, Any]]:
        """Start the runs of the slots in a time that have none: {slot, workflowId} of each."""
        body = {"since": since, "until": until, "dryRun": dry_run}
        return self._call("POST", f"/api/schedules/{quote(name)}/backfill", json=body, attempts=1)["items"]

    def trigger(self, name: str) -> dict[str, Any]:
        """One trigger."""
        return self._call("GET", f"/api/triggers/{quote(name)}")

    def change_trigger(self, name: str, **fields: Any) -> dict[str, Any]:
        """Change what it starts, or pause it. fields: start, paused."""
        return self._call("PATCH", f"/api/triggers/{quote(name)}", json=fields)

    def test_trigger(self, name: str, **call: Any) -> dict[str, Any]:
        """What such a call would start. call: body, headers, query."""
        return self._call("POST", f"/api/triggers/{quote(name)}/test", json=call)

    def webhook(self, webhook_id: str) -> dict[str, Any]:
        """One subscription."""
        return self._call("GET", f"/api/webhooks/{quote(webhook_id)}")

    def webhook_events(self) -> list[str]:
        """The events that can be subscribed to."""
        return self._call("GET", "/api/webhooks/events")["items"]

    def queue(self, name: str) -> dict[str, Any]:
        """One queue with its depth."""
        return self._call("GET", f"/api/queues/{quote(name)}")

    def remove_queue(self, name: str) -> None:
        """Forget a queue that is empty."""
        self._call("DELETE", f"/api/queues/{quote(name)}", attempts=1)

    def url_group(self, name: str) -> dict[str, Any]:
        """One group."""
        return self._call("GET", f"/api/url-groups/{quote(name)}")

    def remove_url_group(self, name: str) -> None:
        """Forget a group."""
        self._call("DELETE", f"/api/url-groups/{quote(name)}", attempts=1)

    def mcp_server(self, name: str) -> dict[str, Any]:
        """One MCP server with its tools."""
        return self._call("GET", f"/api/mcp-servers/{quote(name)}")

    def refresh_mcp_server(self, name: str) -> dict[str, Any]:
        """Ask the server for its tools again."""
        return self._call("POST", f"/api/mcp-servers/{quote(name)}/refresh")

    def flow_key(self, key: str) -> dict[str, Any]:
        """One limit with its live counts."""
        return self._call("GET", f"/api/flow/{quote(key)}")

    def approval(self, approval_id: str) -> dict[str, Any]:
        """One approval, decided or not."""
        return self._call("GET", f"/api/approvals/{approval_id}")

    def memory_history(self, memory_id: str) -> list[dict[str, Any]]:
        """A memory with what it superseded and what superseded it."""
        return self._call("GET", f"/api/memory/{quote(memory_id)}/history")["items"]

    def quarantined_memories(self, **asked: Any) -> dict[str, Any]:
        """A page of memories that wait for review. asked: userId, limit, cursor."""
        return self._call("GET", "/api/memory/quarantine", params=asked)
