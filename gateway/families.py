"""GET /api/runs/{id}/tree: a run with all that it has delegated; and how parents and children look on the wire."""

from typing import Any, cast

from flask import Blueprint, Response
from typing_extensions import TypedDict

from gateway import authentication, declare, wire
from gateway.fields import Id, Time
from services.journal import delegations
from services.journal.delegations import Delegation
from services.journal.runs import Run, RunStatus

blueprint = Blueprint("families", __name__)


class ShownChild(TypedDict):
    """A run that another one's step has started. number: which try at this place it is."""

    workflowId: Id
    stepId: str
    place: int
    number: int
    detached: bool
    status: RunStatus


class ShownParent(TypedDict):
    """The run and the step of it that started this one."""

    workflowId: Id
    stepId: str


class Family(TypedDict):
    """Who started a run, and whom it has started."""

    parent: ShownParent | None
    children: list[ShownChild]


class Cost(TypedDict):
    """What calls of models took. cost: US dollars."""

    calls: int
    tokens: int
    cost: float


class Tree(TypedDict):
    """A run with all below it. own: what it has cost; total: with all below it."""

    workflowId: Id
    parent: Id | None
    stepId: str | None
    place: int | None
    number: int | None
    depth: int
    detached: bool
    agent: str | None
    request: str | None
    status: RunStatus
    error: str | None
    createdAt: Time
    finishedAt: Time | None
    own: Cost
    total: Cost
    children: list["Tree"]


@blueprint.get("/api/runs/<run_id>/tree")
@declare.operation(gives=Tree)
def show(run_id: str) -> Response:
    """The run with all that it has delegated, and what each and all below it have cost."""
    return wire.reply(tree(delegations.tree(authentication.caller().tenant, run_id)))


def of(run: Run) -> Family:
    """A run's parent and children."""
    parent = delegations.of_child(run.id)
    return {
        "parent": {"workflowId": str(parent.parent_id), "stepId": parent.step_id} if parent else None,
        "children": [child(each, status) for each, status in delegations.of_parent(run.id)],
    }


def child(delegated: Delegation, status: str) -> ShownChild:
    """A child as its parent shows it; number: which try at this place it is."""
    return {
        "workflowId": str(delegated.child_id),
        "stepId": delegated.step_id,
        "place": delegated.place,
        "number": delegated.number,
        "detached": delegated.detached,
        "status": RunStatus(status),
    }


def tree(rows: list[dict[str, Any]]) -> Tree:
    """Rows, parents first, as a tree; total: what a run and all below it have cost."""
    nodes: dict[str, dict[str, Any]] = {}
    for row in rows:
        node = nodes[row["workflowId"]] = row | {"total": dict(row["own"]), "children": []}
        if node["parent"] in nodes:
            nodes[node["parent"]]["children"].append(node)
    for row in reversed(rows):
        above = nodes.get(row["parent"])
        if above:
            below = nodes[row["workflowId"]]["total"]
            above["total"] = {name: amount + below[name] for name, amount in above["total"].items()}
    return cast(Tree, nodes[rows[0]["workflowId"]])
