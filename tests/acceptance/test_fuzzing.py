"""Whatever the document allows is taken, whatever it forbids is refused with a problem, and nothing fails by surprise.

A short run of the fuzzer, the same every time; `make fuzz` goes on for longer.
"""

from tests.acceptance.visits import Stack
from tests.fuzz import running
from tests.integration.gateway.conftest import Gateway

SHORT = ["--phases", "examples,fuzzing,stateful", "--max-examples", "1", "--no-shrink", "--workers", "3"]


def test_the_fuzzer_finds_nothing(stack: Stack) -> None:
    """Over a gateway of the shared stack's that asks for keys; with one that may not change what is everybody's."""
    gateway = Gateway(PERDURE_AUTH="required")
    done = running.fuzz(gateway.url, seed=1, more=SHORT)
    gateway.stop()

    assert done.returncode == 0, done.stdout[-6_000:]
