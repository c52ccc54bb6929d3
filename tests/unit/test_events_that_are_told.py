"""Every event that webhooks offer is told: those of runs by the trigger on events without a step, others by a call."""

import re
from pathlib import Path

from services.delivery import subscriptions

FUNCTIONS = Path(__file__).parents[2] / "services/journal/functions"


def test_events_of_runs_have_no_step_and_those_of_steps_are_told_by_a_call() -> None:
    recorded = re.compile(r"record_event\([^;]*?'((?:run|approval|budget)\.[a-z_]+)'(?: \|\| \w+)?, (\w+)", re.S)
    texts = [file.read_text() for file in FUNCTIONS.glob("*.sql")]
    found = {(match[1], match[2]) for text in texts for match in recorded.finditer(text)}
    offered = {(name, step) for name, step in found if name in subscriptions.OFFERED}
    approvals = next(text for text in texts if "'approval.requested'" in text)

    assert len({name for name, _ in offered}) >= 9
    assert {name for name, step in offered if step != "null"} == {"approval.requested", "approval.decided"}
    assert approvals.count("perform tell_of(e)") == 2
