"""A whole running stack whose brain is a scripted model."""

from collections.abc import Iterator

import pytest

from services.pipeline import embedded_servers
from tests import stack as stacks
from tests.acceptance.conftest import EVERYTHING, OPEN
from tests.scripted_model import ScriptedModel


@pytest.fixture(scope="package")
def model() -> Iterator[ScriptedModel]:
    """A real HTTP server that speaks the OpenAI wire format and says what the test tells it to."""
    with ScriptedModel() as server:
        yield server


@pytest.fixture(scope="package")
def stack_with_model(model: ScriptedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[stacks.Stack]:
    """A stack of its own, servers included, whose brain is the scripted model."""
    home = tmp_path_factory.mktemp("with-model")
    with embedded_servers.running(home) as addresses:
        environment = {
            **OPEN,
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-scripted",
            "PERDURE_CHEAP_MODEL": "gpt-5-nano",
        }
        stacks.run_once("release", environment)
        with stacks.running(home, *EVERYTHING, **environment) as running:
            yield running
