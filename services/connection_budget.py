"""How many connections to Postgres this deployment may open, held against what its plan allows.

Every process opens at most DB_POOL_SIZE (when it needs them); PERDURE_PROCESSES says how many there are of each kind
(`web=1,execution=3`; one of each when it does not say).
"""

from dataclasses import dataclass

from services import settings
from services.errors import Misconfigured

KINDS = ("web", "planning", "execution", "reflection", "scheduler")
RELEASE = 1  # what a migration holds


@dataclass(frozen=True)
class Budget:
    """parts: most connections of each kind's processes. allowed: DB_MAX_CONNECTIONS, None when nobody said."""

    parts: dict[str, int]
    allowed: int | None

    @property
    def total(self) -> int:
        """Of all processes, and a release."""
        return sum(self.parts.values()) + RELEASE

    @property
    def at_a_deploy(self) -> int:
        """While old and new processes overlap."""
        return 2 * sum(self.parts.values()) + RELEASE

    def __str__(self) -> str:
        """One line, as it is printed at the start."""
        parts = ", ".join(f"{kind} {count}" for kind, count in self.parts.items())
        most = f" of {self.allowed} allowed" if self.allowed else " (DB_MAX_CONNECTIONS is not set)"
        tight = self.allowed is not None and self.at_a_deploy > self.allowed
        overlap = f"; {self.at_a_deploy} while a deploy overlaps" + (
            ", when some will wait for others" if tight else ""
        )
        return f"Database connections: at most {self.total}{most} ({parts}, release {RELEASE}){overlap}."


def of_settings() -> Budget:
    """What the settings come to. Raises Misconfigured for a kind of process that there is not."""
    current = settings.current()
    counts = dict.fromkeys(KINDS, 1) | current.processes
    if unknown := [kind for kind in counts if kind not in (*KINDS, "flower")]:
        raise Misconfigured(f"PERDURE_PROCESSES names {unknown[0]!r}; there are {', '.join(KINDS)}.")
    each = {kind: current.database_pool for kind in KINDS} | {"web": current.web_concurrency * current.database_pool}
    return Budget({kind: counts[kind] * each[kind] for kind in KINDS}, current.database_max_connections)


def check() -> Budget:
    """The budget. Raises Misconfigured when it is more than the database allows."""
    budget = of_settings()
    if budget.allowed is not None and budget.total > budget.allowed:
        raise Misconfigured(
            f"{budget} Lower DB_POOL_SIZE (now {settings.current().database_pool}), WEB_CONCURRENCY or the number of "
            "processes, or set DB_MAX_CONNECTIONS to what the plan really allows."
        )
    return budget
