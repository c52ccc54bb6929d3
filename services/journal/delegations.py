"""Delegations: runs that a step of another run has started, and whose end it waits for. See functions/8_teams.sql.

A step's children are its *team*, named by the step's effect key. A member that is started anew is the same place with
a higher number. The id of a child follows from team, place and number, so that none is ever started twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.journal import runs


class Delegation(database.Base):
    """One child. root_id: the run at the top of its tree. detached: it goes its own way, nobody waits for it.

    held: it is paused because its parent is. depth: 1 for a child of a run that has no parent.
    """

    __tablename__ = "delegations"

    child_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    root_id: Mapped[UUID] = mapped_column(index=True)
    parent_id: Mapped[UUID] = mapped_column(index=True)
    step_id: Mapped[str] = mapped_column(Text)
    team: Mapped[str] = mapped_column(Text)
    place: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    depth: Mapped[int] = mapped_column(Integer)
    detached: Mapped[bool] = mapped_column()
    held: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        # a step's team; and no child twice
        UniqueConstraint("team", "place", "number"),
        # the sweeper: what has to follow its parent
        Index("ix_delegations_live", "child_id", postgresql_where=text("ended_at is null and not detached")),
    )


@dataclass(frozen=True)
class Child:
    """One try at a place. live: it has not ended. result: as the step's output tells it.

    spent: it counts no more, since a person had the step run again, or it failed in the run that this is a fork of.
    """

    id: str
    place: int
    number: int
    live: bool
    spent: bool
    result: dict[str, Any]

    @property
    def succeeded(self) -> bool:
        """Whether it has ended well."""
        return not self.live and self.result["status"] == "succeeded"


@dataclass(frozen=True)
class Team:
    """What a delegating step sees. age: seconds since its first child was started. depth: of the step's own run;
    tree: how many runs there are in all below the same root."""

    children: list[Child]
    age: float
    depth: int
    tree: int

    @property
    def ended(self) -> int:
        """How many children have ended; what ends later is news."""
        return sum(not child.live for child in self.children)


def child_id(team: str, place: int, number: int) -> str:
    """The id of that child."""
    return str(uuid5(NAMESPACE_OID, f"{team}#{place}#{number}"))


def look(run_id: str, step_id: str, team: str) -> Team:
    """The team of this step as it stands."""
    found = database.call("look_at_team", run_id, step_id, team)
    return Team([Child(**child) for child in found["children"]], found["age"], found["depth"], found["tree"])


def of_child(run_id: UUID) -> Delegation | None:
    """By whom this run was delegated; None for one that has no parent."""
    with database.session() as session:
        return session.get(Delegation, run_id)


def of_parent(run_id: UUID) -> list[tuple[Delegation, str]]:
    """The children of this run, each with its status, in the order in which they were started."""
    query = (
        select(Delegation, runs.Run.status)
        .join(runs.Run, runs.Run.id == Delegation.child_id)
        .where(Delegation.parent_id == run_id)
        .order_by(Delegation.created_at, Delegation.place, Delegation.number)
    )
    with database.session() as session:
        return [(row[0], row[1]) for row in session.execute(query)]


def to_move() -> list[tuple[str, str, str]]:
    """What has to follow its parent, as (verb, tenant, child): verb is cancel, pause or resume."""
    return [(verb, tenant, child) for verb, tenant, child in database.call("children_to_move", 500)]


def tree(tenant: str, run_id: str) -> list[dict[str, Any]]:
    """This run and all below it, with what each has cost: parents before their children. Raises NotFound."""
    top = runs.get(tenant, run_id)
    return database.call("run_tree", top.id)
