"""May this call happen? Looked at outside the model, right before the call; and how a tool asks a person something.

A call that needs an approval puts its step to sleep (WaitForDecision); the decision wakes it, and it comes back here.
"""

from collections.abc import Iterator
from typing import Any

from execution_worker import registry
from services import settings
from services.approvals import approvals, policies
from services.approvals.approvals import Decision
from services.approvals.policies import Call
from services.errors import NotPermitted, Rejected, Unanswered
from services.journal.claims import Claim
from services.tools.contract import Tool, WaitForDecision


def granted(tool: Tool, claim: Claim, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments to call with: these, or what a person who approved the call made of them.

    Raises NotPermitted, Rejected or Unanswered, and WaitForDecision when somebody has to approve first.
    """
    call = _call(tool, claim, arguments)
    rules = policies.fitting(call)
    if not rules and call.permission == "allow" and not call.acts_outside and not tool.egress:
        return arguments
    facts = approvals.facts(claim.run_id)
    sources = [name for name in facts.tools if _is_untrusted(name)]
    if sources and not call.acts_outside and _tells_something(tool, claim, arguments, sources):
        call = Call(call.tenant, call.tool, arguments, call.permission, acts_outside=True)
    verdict = policies.decide(call, rules, agent=facts.agent, tainted=bool(sources))
    if verdict.decision == "allow":
        return arguments
    if verdict.decision == "deny":
        raise NotPermitted(f"{tool.name} may not be called so: {verdict.why}.")
    asks = _asks("approval", tool, claim, arguments) | {"reason": f"{verdict.why}."}
    details = _decided(claim, asks, verdict.expires).details
    edited = details.get("arguments", arguments)
    again = _call(tool, claim, edited)
    if policies.decide(again, policies.fitting(again), agent=facts.agent, tainted=bool(sources)).decision == "deny":
        raise NotPermitted(f"{tool.name} may not be called with the arguments that were approved.")
    return edited


def tainted(claim: Claim) -> bool:
    """Whether content from outside has entered the run."""
    return any(_is_untrusted(name) for name in approvals.facts(claim.run_id).tools)


def ask(
    tool: Tool,
    claim: Claim,
    arguments: dict[str, Any],
    question: str,
    *,
    choices: list[str] | None = None,
    seconds: float | None = None,
) -> Any:
    """The answer of a person. Raises WaitForDecision until it is there, Rejected or Unanswered if none will be."""
    asked = {"text": question, "choices": choices}
    asks = _asks("question", tool, claim, [arguments, asked]) | {"arguments": arguments, "question": asked}
    return _decided(claim, asks, seconds).details.get("answer")


def _decided(claim: Claim, asks: dict[str, Any], seconds: float | None) -> Decision:
    decision = approvals.decision_on(claim.run_id, claim.step_id, asks["hash"])
    if decision is None or decision.status == "open":
        raise WaitForDecision(asks, seconds or settings.current().approval_seconds)
    if decision.status == "expired":
        raise Unanswered("Nobody decided in time, so it was not done.")
    if decision.status == "rejected":
        reason = decision.details.get("reason")
        raise Rejected(f"It was rejected by {decision.by}" + (f": {reason}" if reason else "."))
    return decision


def _asks(kind: str, tool: Tool, claim: Claim, about: Any) -> dict[str, Any]:
    hash = approvals.hash_of(kind, claim.effect_key, tool.name, about)
    return {"kind": kind, "hash": hash, "tool": tool.name, "arguments": about}


def _call(tool: Tool, claim: Claim, arguments: dict[str, Any]) -> Call:
    return Call(claim.run["tenant"], tool.name, arguments, tool.permission, tool.acts_outside(arguments))


def _is_untrusted(name: str) -> bool:
    """Whether the output of this tool is content from outside; of a tool that is gone, nobody knows."""
    tool = registry.find(name)
    return tool is None or tool.untrusted


def _tells_something(tool: Tool, claim: Claim, arguments: dict[str, Any], sources: list[str]) -> bool:
    """Whether an argument that leaves may carry what the run knows and the other side does not.

    What the request or the first plan spells out does not, and neither does a URL that was read outside as a whole.
    """
    leaving = {text for name in tool.egress for text in _texts(arguments.get(name))}
    read = {text: sources if text.startswith(("http://", "https://")) else [] for text in leaving}
    return not all(approvals.spelled_out(claim.run_id, claim.step_id, text, read[text]) for text in leaving)


def _texts(value: Any) -> Iterator[str]:
    """Every name and value in `value` (any JSON), as texts."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif value is not None:
        yield str(value)
