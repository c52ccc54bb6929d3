"""API keys: required unless switched off, checked on every request, gone when revoked or expired."""

import time
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from services import clock
from services.access import api_keys
from tests.integration.gateway.conftest import count


def test_without_a_key_the_answer_is_a_401_that_says_how_to_get_one(http: FlaskClient, keys_required: None) -> None:
    answer = http.get("/api/runs")

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer") and "perdure keys create" in answer.json["detail"]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_opens_its_own_tenant(http: FlaskClient, keys_required: None, header: str) -> None:
    tenant = f"tenant-{header}"
    _, secret = api_keys.create(tenant, "test")
    headers = {header: f"Bearer {secret}" if header == "Authorization" else secret}
    started = http.post("/api/agent/start", json={"request": "x"}, headers=headers)

    assert started.status_code == 202
    assert count(
        "select count(*) from runs where id = %s and tenant = %s", started.json["workflowId"], f"tenant-{header}"
    )


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic dTpw", "Bearer", "Bearer é"])
def test_a_wrong_key_is_refused_even_where_none_is_needed(http: FlaskClient, authorization: str) -> None:
    answer = http.get("/api/runs", headers={"Authorization": authorization})

    assert answer.status_code == 401 and authorization.rsplit(maxsplit=1)[-1] not in answer.json["detail"].split()[4:5]


def test_a_revoked_key_closes_the_door_within_a_second(http: FlaskClient, keys_required: None) -> None:
    key, secret = api_keys.create("revoked", "test")
    headers = {"X-API-Key": secret}
    before = http.get("/api/runs", headers=headers).status_code
    api_keys.revoke(key)
    time.sleep(1.05)

    assert (before, http.get("/api/runs", headers=headers).status_code) == (200, 401)


def test_an_expired_key_is_refused(http: FlaskClient, keys_required: None) -> None:
    _, secret = api_keys.create("expired", "test", expires_at=clock.now() - timedelta(seconds=1))

    assert http.get("/api/runs", headers={"X-API-Key": secret}).status_code == 401


def test_the_secret_itself_is_stored_nowhere_and_its_use_is_noted(http: FlaskClient, keys_required: None) -> None:
    key, secret = api_keys.create("stored", "test")
    http.get("/api/runs", headers={"X-API-Key": secret})

    assert count("select count(*) from api_keys k where k::text like %s", f"%{secret}%") == 0
    assert count("select count(*) from api_keys where id = %s and last_used_at is not null", key.id) == 1


def test_what_anybody_may_see_needs_no_key(http: FlaskClient, keys_required: None) -> None:
    for path in ("/api/system", "/healthz", "/"):
        assert http.get(path).status_code == 200
    assert http.get("/api/system").json["authRequired"] is True


def test_without_keys_a_page_of_another_origin_may_not_call(http: FlaskClient) -> None:
    strange = http.get("/api/runs", headers={"Origin": "https://evil.example"})
    own = http.get("/api/runs", headers={"Origin": "http://localhost"})

    assert (strange.status_code, own.status_code) == (403, 200)
