"""URLs that start runs: signed calls taken once within five minutes, secrets in URLs, templates that can't be escaped;
one-shot callback URLs; and webhook subscriptions over HTTP."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import pytest
from flask.testing import FlaskClient
from standardwebhooks import Webhook

from services.approvals import one_shot
from services.delivery import subscriptions, templates
from services.journal import runs, signals
from tests import runs as started_runs
from tests.integration.gateway.conftest import count


def trigger(http: FlaskClient, **fields: Any) -> dict[str, Any]:
    body = {"name": f"t-{uuid4().hex}", "start": {"request": "Look at {{body.order.id}}"}, **fields}
    made = http.post("/api/triggers", json=body)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json
    return found | {"path": urlsplit(found["url"]).path}


def signed(secret: str, body: bytes, message_id: str = "", at: datetime | None = None) -> dict[str, str]:
    message_id, at = message_id or f"msg_{uuid4().hex}", at or datetime.now(UTC)
    signature = Webhook(secret).sign(message_id, at, body.decode())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        "Content-Type": "application/json",
    }


def test_a_signed_call_starts_a_run_with_what_it_carries_and_once(http: FlaskClient) -> None:
    made = trigger(http)
    body = orjson.dumps({"order": {"id": 17}})
    headers = signed(made["secret"], body)
    first = http.post(made["path"], data=body, headers=headers)
    again = http.post(made["path"], data=body, headers=headers)
    run = runs.get("default", first.json["workflowId"])

    assert first.status_code == 202
    assert (run.request, run.labels) == ("Look at 17", {"trigger": made["name"]})
    assert again.status_code == 409 and str(run.id) in again.json["detail"]


@pytest.mark.parametrize("what", ["none", "secret", "body", "old", "future", "garbage"])
def test_a_call_that_is_not_signed_rightly_and_now_starts_nothing(http: FlaskClient, what: str) -> None:
    made = trigger(http)
    body = b'{"order": {"id": 1}}'
    now = datetime.now(UTC)
    at = {"old": now - timedelta(minutes=6), "future": now + timedelta(minutes=6)}.get(what)
    other = "whsec_" + "A" * 44
    headers = signed(other if what == "secret" else made["secret"], body, at=at)
    headers |= {"garbage": {"webhook-timestamp": "soon"}, "none": {"webhook-signature": ""}}.get(what, {})
    answer = http.post(made["path"], data=b'{"order": {"id": 2}}' if what == "body" else body, headers=headers)

    assert answer.status_code == 401, answer.text
    assert count("select count(*) from runs where labels ->> 'trigger' = %s", made["name"]) == 0


def test_a_secret_in_the_url_is_enough_where_the_trigger_says_so(http: FlaskClient) -> None:
    start = {"request": "{{query.who}} says {{body}}", "labels": {"a": "{{headers.x-a}}"}}
    made = trigger(http, mode="url", start=start)
    answer = http.post(f"{made['path']}?who=Ada", data="hello", headers={"X-A": "b"})
    run = runs.get("default", answer.json["workflowId"])
    keyed = [
        http.post(made["path"], data="x", headers={"Idempotency-Key": "k", "X-A": "b"}).status_code for _ in range(2)
    ]
    http.patch(f"/api/triggers/{made['name']}", json={"paused": True})

    assert made["secret"] is None
    assert (run.request, run.labels["a"]) == ("Ada says hello", "b")
    assert keyed == [202, 409]
    assert http.post(made["path"], data="x").status_code == 409
    assert http.post("/hooks/unknown", data="x").status_code == 404


def test_what_comes_from_outside_can_not_name_secrets_or_steps(http: FlaskClient, tools: None) -> None:
    start = {"plan": {"steps": [{"id": "a", "tool": "echo", "arguments": {"text": "{{body.text}}"}}]}}
    made = trigger(http, mode="url", start=start)
    answer = http.post(made["path"], json={"text": "{{secret:api}} ${a.text} {{body.text}}"})
    run = http.get(f"/api/runs/{answer.json['workflowId']}").json

    assert run["steps"][0]["arguments"] == {"text": "{ {secret:api}} $ {a.text} { {body.text}}"}
    assert templates.filled("{{body.n}}", {"body": {"n": [1, "${x}"]}}) == [1, "$ {x}"]


@pytest.mark.parametrize(
    ("start", "pointer"),
    [
        ({"request": "{{body.[}}"}, "#/start/request"),
        ({"colour": "red", "request": "x"}, "#/start/colour"),
        ({"userId": "u"}, "#/start"),
    ],
)
def test_a_template_that_can_not_work_is_refused_when_it_is_made(
    http: FlaskClient, start: dict[str, Any], pointer: str
) -> None:
    answer = http.post("/api/triggers", json={"name": uuid4().hex, "start": start})

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, pointer)


def test_a_call_that_does_not_fit_its_template_says_what_is_missing(http: FlaskClient) -> None:
    made = trigger(http, mode="url", start={"request": "{{body.text}}"})
    answer = http.post(made["path"], json={})
    tried = http.post(f"/api/triggers/{made['name']}/test", json={"body": {"text": "hi"}})

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, "#/start")
    assert tried.json == {"start": {"request": "hi"}}


def test_a_one_shot_callback_url_is_taken_once_with_all_that_came(http: FlaskClient) -> None:
    run_id = started_runs.start(request="x", ring=False)
    made = one_shot.made(run_id, "effect", 60)
    path = urlsplit(made["url"]).path
    forged = http.post(path[:-3] + "abc", json={})
    first = http.put(f"{path}?a=1", json={"paid": True}, headers={"X-From": "shop", "Authorization": "no"})
    second = http.post(path, json={})
    late = http.post(urlsplit(one_shot.made(run_id, "other", -5)["url"]).path)
    kept = count("select count(*) from signals where name = %s and data ->> 'method' = 'PUT'", made["event"])
    held = count(
        "select count(*) from signals where name = %s and data #>> '{body,paid}' = 'true'"
        " and data #>> '{query,a}' = '1' and data #>> '{headers,x-from}' = 'shop'"
        " and not data -> 'headers' ? 'authorization'",
        made["event"],
    )

    assert [forged.status_code, first.status_code, second.status_code, late.status_code] == [404, 202, 410, 410]
    assert (kept, held) == (1, 1)
    assert signals.KEPT.days == 30


def test_webhooks_are_made_shown_rotated_and_removed(http: FlaskClient) -> None:
    made = http.post("/api/webhooks", json={"url": "https://example.com/h", "events": ["run.*"]}).json
    rotated = http.post(f"/api/webhooks/{made['id']}/rotate-secret", json={"keepSeconds": 1}).json
    both = subscriptions.secrets_of(made["id"])
    time.sleep(1.1)
    ping = http.post(f"/api/webhooks/{made['id']}/test").json["messageId"]
    shown = http.get(f"/api/webhooks/{made['id']}").json
    log = http.get(shown["messagesUrl"]).json["items"]
    removed = http.delete(f"/api/webhooks/{made['id']}").status_code

    assert both == [rotated["secret"], made["secret"]]
    assert made["secret"].startswith("whsec_") and "secret" not in shown
    assert [each["id"] for each in log] == [ping]
    assert removed == 200
    assert http.get(f"/api/messages/{ping}").json["status"] in {"cancelled", "dead"}


@pytest.mark.parametrize(
    ("fields", "pointer"), [({"events": ["step.succeeded"]}, "#/events/0"), ({"url": "ftp://x"}, "#/url")]
)
def test_webhooks_for_nothing_and_to_nowhere_are_refused(
    http: FlaskClient, fields: dict[str, Any], pointer: str
) -> None:
    answer = http.post("/api/webhooks", json={"url": "https://example.com", **fields})

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (400, pointer)
