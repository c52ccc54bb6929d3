"""The catalogue: which tools exist, as rows that the execution worker writes at its start.

The gateway and the planner read it, so neither ever imports a tool's code.
"""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import ColumnElement, DateTime, Float, Text, delete, func, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from services import database
from services.tools.contract import Tool

EXTERNAL = "^(mcp|http):"


class CataloguedTool(database.Base):
    """A tool that some execution worker can run. `source` names who brought it (built-in, or the app's module).

    effects: what some values of an argument do differently from `effect` (see contract.effect_of). untrusted: its
    output is content from outside. version: of its schema and effect.
    """

    __tablename__ = "tools"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    schema: Mapped[dict[str, Any]] = mapped_column(JSONB)
    effect: Mapped[str] = mapped_column(Text)
    effects: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    timeout: Mapped[float] = mapped_column(Float)
    retry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    permission: Mapped[str] = mapped_column(Text)
    untrusted: Mapped[bool] = mapped_column(server_default=true())
    version: Mapped[str] = mapped_column(Text, server_default=text("''"))
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    examples: Mapped[list[str]] = mapped_column(ARRAY(Text))
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


@dataclass(frozen=True)
class ListedTool:
    """A catalogued tool as planner, plan rules and API see it."""

    name: str
    source: str
    description: str
    schema: dict[str, Any]
    effect: str
    timeout: float
    retry: dict[str, Any]
    permission: str
    capabilities: tuple[str, ...]
    examples: tuple[str, ...]
    effects: dict[str, Any] | None = None


def register(tools: Iterable[tuple[str, Tool]]) -> None:
    """Write (source, tool) pairs as all that workers bring themselves; what is no longer among them is dropped."""
    _replace(tools, ~CataloguedTool.source.regexp_match(EXTERNAL))


def register_external(tools: Iterable[tuple[str, Tool]]) -> None:
    """The same for what is registered at run time; its sources begin with `mcp:` or `http:`."""
    _replace(tools, CataloguedTool.source.regexp_match(EXTERNAL))


def _replace(tools: Iterable[tuple[str, Tool]], whose: ColumnElement[bool]) -> None:
    rows = sorted((_row(source, tool) for source, tool in tools), key=itemgetter("name"))
    names = [row["name"] for row in rows]
    with database.session() as session:
        session.execute(delete(CataloguedTool).where(whose, CataloguedTool.name.not_in(names)))
        for row in rows:
            session.execute(
                insert(CataloguedTool).values(**row).on_conflict_do_update(index_elements=["name"], set_=row)
            )


def listed() -> dict[str, ListedTool]:
    """All known tools by name. Empty until an execution worker has started once on this database."""
    with database.session() as session:
        rows = session.scalars(select(CataloguedTool).order_by(CataloguedTool.name)).all()
        return {row.name: _listed(row) for row in rows}


def untrusted(names: Set[str]) -> set[str]:
    """Those of these tools whose output is content from outside; of a tool that is gone, nobody knows, so it is one."""
    trusted = select(CataloguedTool.name).where(CataloguedTool.name.in_(names), ~CataloguedTool.untrusted)
    with database.session() as session:
        return set(names).difference(session.scalars(trusted))


def listing(source: str, tool: Tool) -> ListedTool:
    """How `tool` would be listed, without a database."""
    return _listed(CataloguedTool(**_row(source, tool)))


def version(tool: Tool) -> str:
    """Another one when its arguments or its effect are others."""
    declared = [tool.schema(), tool.effect, tool.effects]
    return sha256(orjson.dumps(declared, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def _row(source: str, tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "source": source,
        "description": tool.description,
        "schema": tool.schema(),
        "effect": tool.effect,
        "effects": tool.effects,
        "timeout": tool.timeout,
        "retry": {"attempts": tool.retry.attempts, "base": tool.retry.base, "cap": tool.retry.cap},
        "permission": tool.permission,
        "untrusted": tool.untrusted,
        "version": version(tool),
        "capabilities": list(tool.capabilities),
        "examples": list(tool.examples),
    }


def _listed(row: CataloguedTool) -> ListedTool:
    return ListedTool(
        name=row.name,
        source=row.source,
        description=row.description,
        schema=row.schema,
        effect=row.effect,
        timeout=row.timeout,
        retry=row.retry,
        permission=row.permission,
        capabilities=tuple(row.capabilities),
        examples=tuple(row.examples),
        effects=row.effects,
    )
