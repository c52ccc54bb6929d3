"""What must fit together: queues and processes, event names and their emitters, tasks and their names."""

import re
from pathlib import Path

from services.journal.event_names import EventName
from services.pipeline import celery_app

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for package in ("services", "planning_worker", "execution_worker", "reflection_worker")
    for path in (ROOT / package).rglob("*")
    if path.suffix in {".py", ".sql"} and path.name != "event_names.py"
]


def test_every_queue_is_drained_by_a_line_of_the_procfile() -> None:
    drained = set(re.findall(r"-Q (\w+)", (ROOT / "Procfile").read_text()))

    assert drained == set(celery_app.TASKS.values())


def test_every_task_is_defined_under_the_name_that_the_pipeline_rings() -> None:
    defined = {
        name
        for package in ("planning_worker", "execution_worker", "reflection_worker")
        for name in re.findall(r'@app\.task\(name="([^"]+)"', (ROOT / package / "tasks.py").read_text())
    }

    assert defined == set(celery_app.TASKS)


def test_every_event_name_is_emitted_somewhere() -> None:
    text = "\n".join(path.read_text() for path in SOURCES)
    composed = {"run.succeeded", "run.failed", "run.cancelled"} | {
        f"step.{end}" for end in ("succeeded", "failed", "cancelled", "waiting", "retrying")
    }
    missing = [
        name
        for name in EventName
        if f"'{name.value}'" not in text and f"EventName.{name.name}" not in text and name.value not in composed
    ]

    assert missing == []
    assert "'run.' || p_status" in text
    assert "'step.' || case p_outcome" in text


def test_every_event_name_says_what_its_payload_is() -> None:
    lines = (ROOT / "services/journal/event_names.py").read_text().splitlines()
    members = [line for line in lines if re.match(r"\s+[A-Z_]+ = ", line)]

    assert len(members) == len(EventName)
    assert all("# {" in line for line in members)
