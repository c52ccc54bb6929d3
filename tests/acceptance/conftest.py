"""A whole running stack, every line of the Procfile as a real process: offline brain, no keys asked for."""

from collections.abc import Iterator

import pytest

from services.pipeline import embedded_servers
from tests import stack as stacks

EVERYTHING = ("web", *stacks.WORKERS)
OPEN = {"PERDURE_AUTH": "off", "PERDURE_ALLOW_HOSTS": "127.0.0.1"}


@pytest.fixture(scope="package")
def stack(servers: embedded_servers.Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    """Gateway, three workers and the scheduler; pages on loopback may be fetched."""
    with stacks.running(tmp_path_factory.mktemp("stack"), *EVERYTHING, **OPEN) as running:
        yield running
