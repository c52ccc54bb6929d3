"""Delegating: what a step's children are, and what is to be done as they end. The children are services/journal's.

The step looks at its team, and either is done, or goes (back) to wait for children, some of which it may start. `judge`
decides that from what it sees; it is called anew whenever a child's end may change the verdict.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError

from services import settings
from services.agents import agents, profiles
from services.errors import Failed, NotFound, PlanRefused
from services.journal import delegations, plan_rules, steps
from services.journal.claims import Claim
from services.journal.delegations import Child, Team
from services.tools import catalogue
from services.tools.contract import Tool, WaitForDecision

KIND = "delegation"
Join = Literal["all", "any", "quorum", "first_valid"]
Supervision = Literal["escalate", "restart", "ignore"]


@dataclass(frozen=True)
class Member:
    """What one child is to do: a request to an agent, or a plan. budget: {limits, onExceed}."""

    agent: str | None
    request: str | None
    plan: dict[str, Any] | None
    budget: dict[str, Any] | None = None


@dataclass(frozen=True)
class Order:
    """What a step asks of its team. need: how many good ends decide it. valid: what makes an end good, besides success.

    restarts: how often each place is started anew (supervision `restart`). seconds: the time of the whole team.
    """

    members: list[Member]
    join: Join
    need: int
    valid: str | None
    supervision: Supervision
    restarts: int
    seconds: float
    detach: bool
    single: bool


@dataclass(frozen=True)
class Waits:
    """Go (back) to wait. starts: (place, number) of the children to start."""

    starts: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Decided:
    """The join has come true, or nobody is left to wait for."""


@dataclass(frozen=True)
class Lost:
    """The join can't come true any more."""

    why: str


def delegated(tool: Tool, claim: Claim, order: Order) -> dict[str, Any]:
    """The output of the team. Raises WaitForDecision until there is one, Failed when there will be none."""
    team = delegations.look(claim.run_id, claim.step_id, claim.effect_key)
    verdict = judge(order, team)
    if isinstance(verdict, Lost):
        raise Failed(verdict.why)
    if isinstance(verdict, Decided):
        return _output(order, team)
    if verdict.starts:
        _check_size(order, team, len(verdict.starts))
    children = [
        {"id": delegations.child_id(claim.effect_key, place, number), "place": place, "number": number}
        | _row(claim.run["tenant"], order.members[place])
        for place, number in verdict.starts
    ]
    left = max(order.seconds - team.age, 0.1)
    asks = {
        "kind": KIND,
        "hash": claim.effect_key,
        "team": {
            "key": claim.effect_key,
            "need": order.need,
            "picky": order.valid is not None,
            "single": order.single,
        },
        "seen": team.ended,
        "seconds": left,
        "detached": order.detach,
        "children": children,
    }
    raise WaitForDecision(asks, left)


def judge(order: Order, team: Team) -> Waits | Decided | Lost:
    """What is to be done about a team that stands so."""
    newest = {child.place: child for child in team.children if not child.spent}  # they come by number
    tried = [sum(child.place == place and not child.spent for child in team.children) for place in _places(order)]
    good = [child for child in newest.values() if _is_good(order, child)]
    starts, failed, live = [], [], 0
    for place in _places(order):
        child = newest.get(place)
        if child is None or (_may_restart(order, child) and tried[place] <= order.restarts):
            starts.append((place, _next_number(team, place)))
        elif child.live:
            live += 1
        elif child not in good:
            failed.append(child)
    if order.detach:
        return Waits(starts) if starts else Decided()
    if len(good) >= order.need:
        return Decided()
    waited_for = live + len(starts)
    late = team.age >= order.seconds and waited_for > 0 and not _is_new(team)
    if order.supervision == "ignore":
        return Decided() if late or not waited_for else Waits(starts)
    if len(good) + waited_for < order.need:
        return Lost(_told_loss(order, failed))
    if late:
        return Lost(f"{waited_for} of {len(order.members)} were not done in {order.seconds:g} s.")
    return Waits(starts)


def _places(order: Order) -> range:
    return range(len(order.members))


def _is_new(team: Team) -> bool:
    return all(child.spent for child in team.children)


def _is_good(order: Order, child: Child) -> bool:
    if not child.succeeded:
        return False
    return order.valid is None or bool(_searched(order.valid, child.result))


def _may_restart(order: Order, child: Child) -> bool:
    return order.supervision == "restart" and not child.live and not _is_good(order, child)


def _next_number(team: Team, place: int) -> int:
    return 1 + max((child.number for child in team.children if child.place == place), default=0)


def _searched(path: str, result: dict[str, Any]) -> Any:
    try:
        return jmespath.search(path, result)
    except JMESPathError as error:
        raise Failed(f"`valid` can't be looked up in a result: {error}.") from error


def _told_loss(order: Order, failed: Sequence[Child]) -> str:
    told = "; ".join(f"{_name(child)}: {child.result['error'] or _end(child)}" for child in failed[:5])
    wanted = "all" if order.join == "all" else f"{order.need} good results"
    return f"{len(failed)} of {len(order.members)} failed where {wanted} were needed: {told}"


def _end(child: Child) -> str:
    return "its result is not valid" if child.succeeded else f"it was {child.result['status']}"


def _name(child: Child) -> str:
    return child.result["agent"] or f"member {child.place + 1}"


def _output(order: Order, team: Team) -> dict[str, Any]:
    newest = {child.place: child for child in team.children if not child.spent}
    told = [newest[place] for place in sorted(newest)]
    if order.detach:
        text = f"{len(told)} run(s) were started: {', '.join(child.id for child in told)}."
    else:
        text = "\n\n".join(_said(order, child) for child in told if not child.live)
    if order.single:
        return told[0].result | {"text": text}
    winners = [child.place for child in told if _is_good(order, child)]
    return {"results": [child.result for child in told], "winners": winners, "text": text}


def _said(order: Order, child: Child) -> str:
    answer = child.result["answer"] if child.succeeded else f"failed: {child.result['error'] or _end(child)}"
    return str(answer) if order.single and child.succeeded else f"{_name(child)}: {answer}"


def _check_size(order: Order, team: Team, more: int) -> None:
    now = settings.current()
    if team.depth >= now.max_delegation_depth:
        raise Failed(
            f"Work may be delegated {now.max_delegation_depth} levels deep, and this run is the last "
            "(PERDURE_MAX_DELEGATION_DEPTH)."
        )
    if len(order.members) > now.max_team:
        raise Failed(
            f"A team has {now.max_team} members at most, and this has {len(order.members)} (PERDURE_MAX_TEAM)."
        )
    if team.tree + more > now.max_tree:
        raise Failed(
            f"There are {team.tree} runs below the first already; {now.max_tree} are the most (PERDURE_MAX_TREE)."
        )


def _row(tenant: str, member: Member) -> dict[str, Any]:
    """What create_run takes of it. Raises Failed for an agent that does not exist and a plan that can't be used."""
    allowed = _agent(tenant, member.agent).tools if member.agent is not None else None
    return {
        "agent": member.agent,
        "request": member.request,
        "budget": member.budget,
        "plan": _planned(member.plan, allowed) if member.plan is not None else None,
    }


def _agent(tenant: str, name: str) -> agents.Agent:
    try:
        return agents.get(tenant, name)
    except NotFound as error:
        known = ", ".join(agent.name for agent in agents.listed(tenant)[:30]) or "none"
        raise Failed(f"There is no agent {name[:80]!r}; there are: {known}.") from error


def _planned(raw: dict[str, Any], allowed: list[str] | None) -> dict[str, Any]:
    now = settings.current()
    tools = {name: tool for name, tool in catalogue.listed().items() if allowed is None or profiles.fits(name, allowed)}
    try:
        plan = plan_rules.parse(raw, "#/arguments/plan")
        plan_rules.check(plan, tools, max_steps=now.max_steps, pointer="#/arguments/plan")
    except PlanRefused as refused:
        raise Failed(f"The plan of a member can't be used: {refused.detail}") from refused
    if not plan.steps:
        raise Failed("The plan of a member has no step.")
    return {
        "brain": now.model if now.model_configured else "offline",
        "source": "caller",
        "note": plan.note,
        "steps": steps.rows_of(plan, tools, required=True, attempts=now.step_attempts),
    }
