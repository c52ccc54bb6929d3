"""Scopes: what a key, or a person, may do. Each includes what it is listed with."""

from collections.abc import Iterable

from services.errors import BadInput

READ = "read"  # see what the tenant has
RUN = "run"  # start runs and steer them, write memories, make schedules
APPROVE = "approve"  # decide what waits for a person
ADMIN = "admin"  # keys, people, secrets, rules, budgets, the audit log of the tenant
OPERATE = "operate"  # change what holds for all tenants

INCLUDED = {
    READ: {READ},
    RUN: {RUN, READ},
    APPROVE: {APPROVE, READ},
    ADMIN: {ADMIN, APPROVE, RUN, READ},
    OPERATE: {OPERATE, ADMIN, APPROVE, RUN, READ},
}
ALL = tuple(INCLUDED)


def allow(given: Iterable[str], needed: str) -> bool:
    """Whether one of the given scopes includes the needed one."""
    return any(needed in INCLUDED.get(scope, ()) for scope in given)


def checked(given: Iterable[str]) -> list[str]:
    """The scopes, each once. Raises BadInput for what is none, or for none at all."""
    asked = list(dict.fromkeys(given))
    unknown = [scope for scope in asked if scope not in INCLUDED]
    if unknown or not asked:
        raise BadInput(f"{', '.join(unknown) or 'Nothing'} is no scope; there are {', '.join(ALL)}.")
    return asked
