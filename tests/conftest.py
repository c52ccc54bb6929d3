"""What all tests share: real servers, started once a process in a folder that is thrown away, and who runs where.

Tests run in several processes (`make test`). Those that share a running stack stay together in one, so that it boots
once; every other file is a group of its own.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from services import settings
from services.pipeline import embedded_servers
from tests import other_brokers

# folders whose tests share one stack of worker processes, and the files there that start their own
SHARED_STACKS = (
    "tests/acceptance/consoles",
    "tests/acceptance/with_model",
    "tests/acceptance",
    "tests/durability",
    "tests/security",
)
OWN_STACKS = {"tests/acceptance/test_perdure_up.py"}


class Together(LoadScopeScheduling):
    """Hands a process all tests that share a stack, or all of a file. (`loadgroup` can't: pytest 9 fixes node ids.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in SHARED_STACKS and file not in OWN_STACKS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Who runs which tests; asked by pytest-xdist."""
    return Together(config, log)


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded_servers.Addresses]:
    """Postgres (migrated) and Valkey; the environment of this process and of its children points at them."""
    import migrations

    home = Path(tempfile.mkdtemp(prefix="perdure-test-"))
    os.environ["PERDURE_HOME"] = str(home)
    for name in ("DATABASE_URL", "REDIS_URL", "BROKER_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DYNO"):
        os.environ.pop(name, None)
    broker = os.environ.get("PERDURE_TEST_BROKER")
    settings.current.cache_clear()
    with ExitStack() as at_the_end:
        if broker == "redis":
            os.environ["REDIS_URL"] = at_the_end.enter_context(other_brokers.redis_server(home / "redis"))
        elif broker == "rabbitmq":
            os.environ["BROKER_URL"] = at_the_end.enter_context(other_brokers.rabbitmq(home / "rabbitmq"))
        settings.current.cache_clear()
        addresses = at_the_end.enter_context(embedded_servers.running(home, redis=broker != "redis"))
        os.environ["DATABASE_URL"] = addresses.database_url
        os.environ["REDIS_URL"] = addresses.redis_url
        os.environ["PERDURE_EMBEDDED"] = "1"
        settings.current.cache_clear()
        migrations.upgrade()
        yield addresses
