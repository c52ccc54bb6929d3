"""A stack of real worker processes whose tools write a ledger of side effects outside of Perdure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.pipeline.embedded_servers import Addresses
from tests import stack as stacks
from tests.receiver import Receiver
from tests.scripted_model import ScriptedModel, text

BRAINS = ("planning", "execution", "reflection")  # who asks a model


@pytest.fixture(scope="package")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ledger") / "side_effects.txt"


@pytest.fixture(scope="package")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Takes messages; the one address on this machine that the workers may reach."""
    started = Receiver(stacks.free_port(), tmp_path_factory.mktemp("receiver") / "log.jsonl")
    yield started
    started.stop()


@pytest.fixture(scope="package")
def _workers(
    servers: Addresses, ledger: Path, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[stacks.Stack]:
    logs = tmp_path_factory.mktemp("logs")
    environment = {
        "PERDURE_TOOLS": "tests.side_effect_tools",
        "PERDURE_DRAIN_SECONDS": "3",
        "SIDE_EFFECT_LEDGER": str(ledger),
        "PERDURE_ALLOW_HOSTS": f"127.0.0.1:{receiver.port}",
    }
    with stacks.running(logs, *stacks.WORKERS, **environment) as running:
        yield running


@pytest.fixture(scope="module")
def alone(_workers: stacks.Stack) -> None:
    """For modules that start a stack of their own on the same servers: no other worker takes their steps."""
    for kind in stacks.WORKERS:
        _workers.kill(kind)


@pytest.fixture
def workers(_workers: stacks.Stack) -> Iterator[stacks.Stack]:
    """All four kinds alive at the start of every test, whatever the one before killed."""
    _workers.ensure(*stacks.WORKERS)
    yield _workers


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(otherwise=text("Nothing.")) as server:
        yield server


@pytest.fixture(scope="module")
def with_model(_workers: stacks.Stack, model: ScriptedModel) -> Iterator[stacks.Stack]:
    """The workers, asking the scripted model."""
    for kind in BRAINS:
        _workers.kill(kind)
        _workers.start(kind, OPENAI_BASE_URL=model.base_url, OPENAI_API_KEY="sk-scripted")
    _workers.ensure("scheduler")
    _workers.wait_for_workers(list(BRAINS))
    yield _workers
    for kind in BRAINS:
        _workers.kill(kind)
