"""The calls of models: who made each, what it took, what it cost. They outlive their run."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Index, Integer, Numeric, Select, Text, func, select, text
from sqlalchemy.orm import Mapped, mapped_column

from services import database

Grouping = Literal["day", "model", "agent", "run", "step"]


class ModelCall(database.Base):
    """One call. holder: the phase or the step that made it. cost: US dollars, None when the price is not known."""

    __tablename__ = "model_calls"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4, server_default=text("gen_random_uuid()"))
    tenant: Mapped[str] = mapped_column(Text)
    run_id: Mapped[UUID | None] = mapped_column(index=True)
    holder: Mapped[str | None] = mapped_column(Text)
    agent: Mapped[str | None] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    input_tokens: Mapped[int] = mapped_column(Integer)
    output_tokens: Mapped[int] = mapped_column(Integer)
    cached_tokens: Mapped[int] = mapped_column(Integer)
    cost: Mapped[Decimal | None] = mapped_column(Numeric)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    __table_args__ = (Index(None, "tenant", "at"),)


def report(
    tenant: str, by: Grouping, *, since: datetime | None, until: datetime | None, run_id: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Calls, tokens and cost in groups, the dearest first (days: the newest). since ≤ time < until."""
    group = {
        "day": func.to_char(func.timezone("utc", ModelCall.at), "YYYY-MM-DD"),
        "model": ModelCall.model,
        "agent": ModelCall.agent,
        "run": func.cast(ModelCall.run_id, Text),
        "step": ModelCall.holder,
    }[by]
    tokens = func.sum(ModelCall.input_tokens + ModelCall.output_tokens)
    columns: list[Any] = [
        group.label("group"),
        func.count().label("calls"),
        func.sum(ModelCall.input_tokens).label("input_tokens"),
        func.sum(ModelCall.output_tokens).label("output_tokens"),
        func.sum(ModelCall.cached_tokens).label("cached_tokens"),
        func.sum(ModelCall.cost).label("cost"),
        func.count().filter(ModelCall.cost.is_(None)).label("unpriced"),
    ]
    query: Select[Any] = select(*columns).where(ModelCall.tenant == tenant)
    if since:
        query = query.where(ModelCall.at >= since)
    if until:
        query = query.where(ModelCall.at < until)
    if run_id:
        query = query.where(ModelCall.run_id == run_id)
    order = group.desc() if by == "day" else tokens.desc()
    with database.session() as session:
        return [dict(row._mapping) for row in session.execute(query.group_by(group).order_by(order).limit(limit))]
