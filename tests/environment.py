"""Settings for the length of a test: `with environment(PERDURE_MODEL="m"): …` sets variables, None removes them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from services import settings


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Set or remove environment variables and let the settings be read anew; put everything back afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    settings.current.cache_clear()
    try:
        yield
    finally:
        _set(before)
        settings.current.cache_clear()


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
