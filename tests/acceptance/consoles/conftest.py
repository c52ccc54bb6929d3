"""A whole running stack whose tools fail, hang and leave doubts when asked to: what the consoles are for."""

from collections.abc import Iterator

import pytest

from services.pipeline import embedded_servers
from tests import stack as stacks

EVERYTHING = ("web", *stacks.WORKERS)


@pytest.fixture(scope="package")
def stack(servers: embedded_servers.Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    """Every line of the Procfile, with the tools of tests/side_effect_tools.py."""
    logs = tmp_path_factory.mktemp("consoles")
    environment = {
        "PERDURE_AUTH": "off",
        "PERDURE_ALLOW_HOSTS": "127.0.0.1",
        "PERDURE_TOOLS": "tests.side_effect_tools",
        "SIDE_EFFECT_LEDGER": str(logs / "ledger.txt"),
    }
    with stacks.running(logs, *EVERYTHING, **environment) as running:
        yield running
