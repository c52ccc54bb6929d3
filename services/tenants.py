"""For whom the present work is: Postgres shows and takes the rows of this tenant alone (migrations/row_security.py).

Workers, the sweeper and the command line work for every tenant; a gateway's request for nobody until its caller is
known, then for the caller's tenant. `database` tells Postgres with the first statement of each transaction.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services.errors import BadInput

EVERY = "*"
NOBODY = ""
SETTING = "perdure.tenant"
FOR_EVERY = f"-c {SETTING}={EVERY}"  # what a connection starts with (libpq's `options`)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,99}")

_current: ContextVar[str] = ContextVar("tenant", default=EVERY)


def current() -> str:
    """The tenant, EVERY or NOBODY."""
    return _current.get()


def enter(tenant: str) -> None:
    """Work for this tenant from now on, in this thread."""
    _current.set(tenant)


@contextmanager
def only(tenant: str) -> Iterator[None]:
    """Work for one tenant for the length of the block."""
    before = _current.set(tenant)
    try:
        yield
    finally:
        _current.reset(before)


@contextmanager
def every() -> Iterator[None]:
    """Work for all tenants: for what belongs to the whole system, such as the count of steps at a shared limit."""
    with only(EVERY):
        yield


def checked(name: str) -> str:
    """The name, if a tenant may be called so. Raises BadInput."""
    if not NAME.fullmatch(name):
        raise BadInput("A tenant's name has 1 to 100 letters, digits and . _ : @ -, and begins with a letter or digit.")
    return name
