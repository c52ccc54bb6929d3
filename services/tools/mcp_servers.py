"""MCP servers and the tools that they offer. Who registers a server trusts what it says then, and nothing later.

The first listing pins each tool by a hash of its description, schema and annotations; a tool that changes or turns up
later is disabled until a person approves what it says now.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ARRAY, DateTime, Float, ForeignKey, Integer, Text, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from services import clock, database
from services.errors import NotFound

SEPARATOR = "__"


class McpServer(database.Base):
    """A registered server: at `url` (streamable HTTP), or started by `command` (stdio) by each execution worker.

    tenant: whose secrets the handles in headers and env stand for. timeout: seconds for one call. max_bytes: of one
    result. version: one higher at every change. listed_at: when its tools were last asked for; error: what went wrong.
    """

    __tablename__ = "mcp_servers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tenant: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    command: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    headers: Mapped[dict[str, str]] = mapped_column(JSONB)
    env: Mapped[dict[str, str]] = mapped_column(JSONB)
    timeout: Mapped[float] = mapped_column(Float)
    max_bytes: Mapped[int] = mapped_column(Integer)
    permission: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    asked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    listed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class McpTool(database.Base):
    """A tool as its server describes it now (`offered`; None: it no longer does), and the hash that was approved."""

    __tablename__ = "mcp_tools"

    server: Mapped[str] = mapped_column(ForeignKey("mcp_servers.name", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    offered: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    hash: Mapped[str | None] = mapped_column(Text)
    pinned: Mapped[str | None] = mapped_column(Text)

    @property
    def state(self) -> str:
        """enabled, changed (approve it again), new (approve it) or gone."""
        if self.offered is None:
            return "gone"
        if self.pinned is None:
            return "new"
        return "enabled" if self.pinned == self.hash else "changed"


@dataclass(frozen=True)
class Offer:
    """A server with its enabled tools."""

    server: McpServer
    tools: list[McpTool]


def put(name: str, tenant: str, fields: Mapping[str, Any]) -> None:
    """Register a server, or change one: then its tools are asked for and pinned anew."""
    values = {"tenant": tenant, "asked_at": None, "listed_at": None, "error": None, **fields}
    statement = insert(McpServer).values(name=name, **values)
    changed = {**values, "version": McpServer.version + 1}
    with database.session() as session:
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))
        session.execute(delete(McpTool).where(McpTool.server == name))


def remove(name: str) -> None:
    """Forget a server and its tools. Raises NotFound."""
    with database.session() as session:
        gone = session.execute(delete(McpServer).where(McpServer.name == name).returning(McpServer.name)).scalar()
    _must_be(gone, name)


def refresh(name: str) -> None:
    """Have a worker ask for its tools again, within seconds. Raises NotFound."""
    with database.session() as session:
        found = session.execute(
            update(McpServer).where(McpServer.name == name).values(asked_at=None).returning(McpServer.name)
        ).scalar()
    _must_be(found, name)


def listed() -> list[tuple[McpServer, list[McpTool]]]:
    """All servers with all their tools, by name."""
    with database.session() as session:
        servers = session.scalars(select(McpServer).order_by(McpServer.name)).all()
        tools = session.scalars(select(McpTool).order_by(McpTool.name)).all()
    return [(server, [tool for tool in tools if tool.server == server.name]) for server in servers]


def get(name: str) -> tuple[McpServer, list[McpTool]]:
    """One server with all its tools. Raises NotFound."""
    for server, tools in listed():
        if server.name == name:
            return server, tools
    raise NotFound(f"There is no MCP server {name}.")


def offers() -> list[Offer]:
    """What workers may call: all servers with their enabled tools."""
    return [Offer(server, [tool for tool in tools if tool.state == "enabled"]) for server, tools in listed()]


def due(every: float) -> list[McpServer]:
    """The servers whose tools are to be asked for now (never, or `every` seconds ago), each given to one caller."""
    now = func.clock_timestamp()
    late = McpServer.asked_at.is_(None) | (McpServer.asked_at < now - func.make_interval(0, 0, 0, 0, 0, 0, every))
    locked = select(McpServer.name).where(late).with_for_update(skip_locked=True)
    with database.session() as session:
        mine = update(McpServer).where(McpServer.name.in_(locked)).values(asked_at=now).returning(McpServer)
        return list(session.scalars(mine))


def record(server: McpServer, definitions: Mapping[str, dict[str, Any]]) -> None:
    """What the server offers now, by tool name. The first time since it was registered, all of it is pinned."""
    with database.session() as session:
        found = session.get(McpServer, server.name, with_for_update=True)
        if found is None or found.version != server.version:
            return  # it was changed meanwhile and is asked again
        first = found.listed_at is None
        found.listed_at, found.error = clock.now(), None
        session.execute(
            update(McpTool)
            .where(McpTool.server == server.name, McpTool.name.not_in(list(definitions)))
            .values(offered=None, hash=None)
        )
        for name, definition in definitions.items():
            _offer(session, server.name, name, definition, pin=first)


def fail(server: McpServer, detail: str) -> None:
    """Its tools could not be asked for."""
    with database.session() as session:
        session.execute(
            update(McpServer)
            .where(McpServer.name == server.name, McpServer.version == server.version)
            .values(error=detail)
        )


def approve(name: str, tool: str) -> None:
    """Trust what this tool says now. Raises NotFound."""
    statement = update(McpTool).where(McpTool.server == name, McpTool.name == tool, McpTool.offered.is_not(None))
    with database.session() as session:
        found = session.execute(statement.values(pinned=McpTool.hash).returning(McpTool.name)).scalar()
    if found is None:
        raise NotFound(f"The MCP server {name} offers no tool {tool}.")


def hash_of(definition: Mapping[str, Any]) -> str:
    """What a tool is pinned by."""
    return hashlib.sha256(orjson.dumps(definition, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _offer(session: Session, server: str, name: str, definition: dict[str, Any], *, pin: bool) -> None:
    now = {"offered": definition, "hash": hash_of(definition)}
    if pin:
        now["pinned"] = now["hash"]
    statement = insert(McpTool).values(server=server, name=name, **now)
    session.execute(statement.on_conflict_do_update(index_elements=["server", "name"], set_=now))


def _must_be(found: str | None, name: str) -> None:
    if found is None:
        raise NotFound(f"There is no MCP server {name}.")
