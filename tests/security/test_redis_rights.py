"""Perdure's user of Redis may do what runs need and nothing else: no FLUSHALL, no KEYS, no CONFIG, no MONITOR."""

import pytest
import redis

from gateway.client import Client
from tests.security.conftest import Guarded

DANGEROUS = ["FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET *", "MONITOR", "SHUTDOWN", "ACL LIST",
             "REPLICAOF 127.0.0.1 1", "CLIENT LIST", "SAVE", "SLOWLOG GET", "MODULE LIST", "SORT x"]  # fmt: skip


def test_a_run_goes_the_whole_way_without_dangerous_commands(guarded: Guarded) -> None:
    with Client(guarded.stack.url) as client:
        run_id = client.start("What is 17% of 2340, and what time is it in Tokyo?")["workflowId"]
        names = [event["name"] for event in client.events(run_id)]
        findings = [each for each in client.doctor()["findings"] if each["severity"] == "error"]

    assert names[-1] == "run.succeeded"
    assert findings == []
    assert "NOPERM" not in guarded.stack.output()


@pytest.mark.parametrize("command", DANGEROUS)
def test_its_user_may_not(guarded: Guarded, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        redis.Redis.from_url(guarded.redis_url).execute_command(*command.split())
