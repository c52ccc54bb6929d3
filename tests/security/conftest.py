"""A whole stack whose processes reach Redis as a user without dangerous commands, and a receiver on loopback."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from services.pipeline import embedded_servers
from tests import stack as stacks
from tests.receiver import Receiver

# what docs/operations.md tells to give Perdure's user; scripts are the chord's, INFO is the doctor's look at the broker
RIGHTS = ["~*", "&*", "+@all", "-@admin", "-@dangerous", "+info"]


@dataclass(frozen=True)
class Guarded:
    """The stack, with what its processes were given."""

    stack: stacks.Stack
    home: Path
    database_url: str
    redis_url: str
    receiver: Receiver


@pytest.fixture(scope="package")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """Everything of its own, servers included."""
    home = tmp_path_factory.mktemp("security")
    receiver = Receiver(stacks.free_port(), home / "received.jsonl")
    with embedded_servers.running(home) as addresses:
        owner = redis.Redis.from_url(addresses.redis_url)
        owner.execute_command("ACL", "SETUSER", "perdure", "on", ">a-password", *RIGHTS)
        address = owner.connection_pool.connection_kwargs
        environment = {
            "PERDURE_HOME": str(home),
            "PERDURE_EMBEDDED": "1",
            "PERDURE_AUTH": "off",
            "PERDURE_ALLOW_HOSTS": f"127.0.0.1:{receiver.port}",
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": f"redis://perdure:a-password@{address['host']}:{address['port']}/0",
        }
        stacks.run_once("release", environment)
        with stacks.running(home, "web", *stacks.WORKERS, **environment) as running:
            yield Guarded(running, home, addresses.database_url, environment["REDIS_URL"], receiver)
    receiver.stop()
