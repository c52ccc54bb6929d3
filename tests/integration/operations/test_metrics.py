"""/metrics: one truth from several processes, kept without a part that is away; the rules ask for what there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from gateway.app import create_app
from services import database
from services.journal import event_feed, workers
from services.metrics import families, reading, story, tally
from services.metrics.families import FAMILIES
from tests import runs
from tests.environment import environment
from tests.integration.journal.conftest import hand, tools  # noqa: F401 (fixtures)

OPERATIONS = Path(__file__).parents[3] / "docs/operations"


@pytest.fixture(autouse=True)
def fresh(servers: Any) -> None:
    event_feed.client().delete(tally.COUNTS, tally.LIVE)
    tally._counts.clear()


def values(name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of that name as Prometheus would read them, by labels."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reading.text().decode())
        for sample in family.samples
        if sample.name == name
    }


def event(name: str, step: str | None = None, at: str = "00.000", run: str = "", **data: Any) -> dict[str, Any]:
    return {
        "seq": 1,
        "name": name,
        "workflowId": run or "0198f000-0000-7000-8000-000000000000",
        "stepId": step,
        "at": f"2026-01-31T12:00:{at}Z",
        "data": data,
    }


def test_an_attempt_counts_with_its_outcome_and_its_time() -> None:
    story.read([event("step.started", "s1", "01.000", tool="fetch", attempt=1)])
    story.read([event("step.succeeded", "s1", "01.200", attempt=1)])
    tally.send()

    assert values("perdure_steps_ended_total") == {(("outcome", "succeeded"), ("tool", "fetch")): 1}
    assert values("perdure_step_seconds_sum") == {(("tool", "fetch"),): pytest.approx(0.2)}
    buckets = {dict(labels)["le"]: count for labels, count in values("perdure_step_seconds_bucket").items()}
    assert (buckets["0.1"], buckets["0.25"], buckets["+Inf"]) == (0, 1, 1)


def test_lost_leases_retries_and_calls_of_models_count() -> None:
    story.read([event("step.retrying", "s1", attempt=1, error={"reason": "lost", "detail": "died"})])
    story.read([event("step.retrying", "s2", attempt=1, error={"detail": "it broke"})])
    story.read([event("model.called", None, model="m", inputTokens=10, outputTokens=5, cost=0.25, **{"for": "plan"})])
    tally.send()

    assert values("perdure_step_retries_total") == {(("reason", "lost"),): 1, (("reason", "failed"),): 1}
    assert values("perdure_leases_lost_total") == {(("reason", "lost"),): 1}
    assert values("perdure_model_calls_total") == {(("model", "m"), ("purpose", "plan")): 1}
    assert values("perdure_model_tokens_total")[(("direction", "input"), ("model", "m"))] == 10
    assert values("perdure_model_cost_dollars_total") == {(("model", "m"),): 0.25}


def test_a_step_that_never_began_is_no_attempt() -> None:
    story.read([event("step.cancelled", "s1")])
    tally.send()

    assert values("perdure_steps_ended_total") == {}


def test_several_processes_add_up_to_one_truth() -> None:
    for _ in range(3):  # as three processes would send
        tally.count(families.RUNS_ENDED, "succeeded", amount=2)
        tally.send()

    assert values("perdure_runs_ended_total") == {(("status", "succeeded"),): 6}


def test_what_redis_does_not_take_is_kept() -> None:
    tally.count(families.RUNS_ENDED, "failed")
    good = event_feed._client
    with environment(REDIS_URL="redis://127.0.0.1:1/0"):
        event_feed._client = None
        tally.send()
    event_feed._client = good
    tally.send()

    assert values("perdure_runs_ended_total") == {(("status", "failed"),): 1}


def test_depth_age_and_leases_are_those_of_the_journal(hand: Any) -> None:  # noqa: F811
    before = values("perdure_queue_depth").get((("phase", "execute"),), 0)
    run = hand(("a",), ("b",), ("c", "say", "a b"))
    run.claim("a")

    assert values("perdure_queue_depth")[(("phase", "execute"),)] == before + 1  # b; c is not ready
    assert 0 <= values("perdure_queue_age_seconds")[(("phase", "execute"),)] < 60
    assert values("perdure_live_steps")[(("status", "running"),)] >= 1
    assert values("perdure_workers")[(("kind", "execution"),)] == 1
    run.succeed("b")
    assert values("perdure_queue_depth").get((("phase", "execute"),), 0) == before


def test_without_postgres_or_redis_the_rest_is_told() -> None:
    with environment(DATABASE_URL="postgresql://nobody@127.0.0.1:1/x"):
        database.dispose()
        connections, database._connections = database._connections, None
        up = values("perdure_up")
        database._connections = connections

    assert up == {(("part", "postgres"),): 0, (("part", "redis"),): 1}


def test_it_asks_for_a_key_where_keys_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    http: FlaskClient = create_app().test_client()

    assert http.get("/metrics").status_code == 200
    with environment(PERDURE_AUTH="required"):
        refused = create_app().test_client().get("/metrics")
    assert refused.status_code == 401
    assert refused.content_type == "application/problem+json"


def test_the_numbers_of_a_long_history_come_from_live_rows_alone(hand: Any) -> None:  # noqa: F811
    """No query may read a table from end to end: with the planner forbidden to, each still finds an index."""
    from sqlalchemy import text

    from services.metrics import state

    with database.session() as session:
        session.execute(text("set local enable_seqscan = off"))
        for family in (families.LIVE_RUNS, families.WAITING_WORK, families.OLDEST_WORK, families.LIVE_STEPS):
            plan = "\n".join(session.scalars(text(f"explain {state._QUERIES[family]}")))
            assert "Seq Scan" not in plan, f"{family.name}\n{plan}"


def test_the_dashboard_and_the_rules_ask_for_metrics_that_exist() -> None:
    dashboard = json.loads((OPERATIONS / "grafana.json").read_text())
    rules = yaml.safe_load((OPERATIONS / "alerts.yml").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    known = {"gauge": [""], "counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
    names = {name + end for name, family in FAMILIES.items() for end in known[family.kind]}

    assert {name for expression in asked for name in re.findall(r"perdure_\w+", expression)} <= names
    shown = {name for expression in asked for name in re.findall(r"perdure_\w+", expression)}
    assert {name for name in FAMILIES if not any(each.startswith(name) for each in shown)} == set()


def test_a_worker_that_takes_nothing_fails_its_check(hand: Any) -> None:  # noqa: F811
    from services.pipeline import liveness

    run = hand(("a",))
    with database.session() as session:
        session.connection().exec_driver_sql(
            "update steps set rung_at = now() - interval '1 min' where status = 'ready'"
        )
        session.connection().exec_driver_sql(
            "update workers set slots = 4, busy = 0, taken_at = now() - interval '1 min', beat_at = now()"
        )
    deaf = liveness.faults(["execution"])
    with database.session() as session:
        session.connection().exec_driver_sql("update workers set busy = 4")
    full = liveness.faults(["execution"])
    workers.beat(runs.WORKER, "execution", "test", 1, 1.0, workers.Vitals(slots=4, idle=0.0))
    listening = liveness.faults(["execution"])
    run.succeed("a")

    assert len(deaf) == 1 and "takes nothing" in deaf[0]
    assert full == listening == []
    assert liveness.faults(["planning"]) == ["No planning process is alive."]


def test_every_metric_is_in_the_documentation() -> None:
    documented = set(
        re.findall(
            r"^\| `(perdure_\w+?)(?:_total|_bucket)?` \|", (OPERATIONS.parent / "operations.md").read_text(), re.M
        )
    )

    assert documented == set(FAMILIES)
