"""API keys: their scopes are asked for on every route, admins manage them, and a rotated key overlaps with its heir."""

import time
from datetime import timedelta

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from gateway.command_line.keys import keys
from services import clock
from services.access import api_keys
from tests.integration.gateway.conftest import count


def of(scope: str, tenant: str = "scoped") -> dict[str, str]:
    return {"X-API-Key": api_keys.create(tenant, scope, scopes=(scope,))[1]}


@pytest.mark.parametrize(
    "scope, statuses",
    [
        ("read", (200, 403, 403, 403)),
        ("run", (200, 202, 403, 403)),
        ("approve", (200, 403, 404, 403)),
        ("admin", (200, 202, 404, 200)),
    ],
)
def test_a_key_opens_the_routes_of_its_scopes(
    http: FlaskClient, keys_required: None, scope: str, statuses: tuple[int, ...]
) -> None:
    headers = of(scope)
    seen = http.get("/api/runs", headers=headers)
    started = http.post("/api/agent/start", json={"request": "x"}, headers=headers)
    approved = http.post("/api/approvals/nothing/approve", headers=headers)
    listed = http.get("/api/keys", headers=headers)

    assert (seen.status_code, started.status_code, approved.status_code, listed.status_code) == statuses
    assert scope == "admin" or "scope 'admin'" in listed.json["detail"]


def test_an_admin_makes_and_revokes_keys_of_the_own_tenant(http: FlaskClient, keys_required: None) -> None:
    admin = of("admin", "managed")
    made = http.post("/api/keys", json={"name": "app", "scopes": ["read"], "perMinute": 9}, headers=admin)
    theirs = {"X-API-Key": made.json["secret"]}
    before = http.get("/api/runs", headers=theirs).status_code
    http.delete(f"/api/keys/{made.json['id']}", headers=admin)
    time.sleep(1.05)
    listed = {key["id"]: key for key in http.get("/api/keys", headers=admin).json["items"]}

    assert (made.status_code, before, http.get("/api/runs", headers=theirs).status_code) == (201, 200, 401)
    assert listed[made.json["id"]] | {"state": "revoked", "perMinute": 9} == listed[made.json["id"]]
    assert all("secret" not in key for key in listed.values())


def test_keys_of_another_tenant_are_not_there(http: FlaskClient, keys_required: None) -> None:
    key, _ = api_keys.create("theirs", "a")
    admin = of("admin", "mine")

    assert http.delete(f"/api/keys/{key.id}", headers=admin).status_code == 404
    assert http.post(f"/api/keys/{key.id}/rotate", headers=admin).status_code == 404
    assert str(key.id) not in [each["id"] for each in http.get("/api/keys", headers=admin).json["items"]]


def test_nobody_gives_away_a_scope_that_they_have_not(http: FlaskClient, keys_required: None) -> None:
    answer = http.post("/api/keys", json={"name": "more", "scopes": ["operate"]}, headers=of("admin"))
    nonsense = http.post("/api/keys", json={"name": "more", "scopes": ["everything"]}, headers=of("operate"))

    assert (answer.status_code, nonsense.status_code) == (403, 400)
    assert "'operate'" in answer.json["detail"]


def test_a_rotated_key_and_its_heir_both_work_for_the_grace_time(http: FlaskClient, keys_required: None) -> None:
    admin = of("admin", "rotating")
    old, secret = api_keys.create("rotating", "app", scopes=("read",), limits=api_keys.Limits(per_day=1_000))
    heir = http.post(f"/api/keys/{old.id}/rotate", json={"graceSeconds": 1}, headers=admin).json
    during = [http.get("/api/runs", headers={"X-API-Key": each}).status_code for each in (secret, heir["secret"])]
    time.sleep(2.1)
    after = [http.get("/api/runs", headers={"X-API-Key": each}).status_code for each in (secret, heir["secret"])]

    assert (heir["replaces"], heir["scopes"], heir["perDay"]) == (str(old.id), ["read"], 1_000)
    assert (during, after) == ([200, 200], [401, 200])
    assert http.post(f"/api/keys/{old.id}/rotate", headers=admin).status_code == 409


def test_the_command_line_makes_lists_rotates_and_revokes(servers: object) -> None:
    run = CliRunner().invoke
    secret = run(keys, ["create", "--tenant", "shell", "--scope", "read", "--per-minute", "5"]).stdout.strip()
    heir = run(keys, ["rotate", secret[: api_keys.VISIBLE], "--grace-hours", "1"]).stdout.strip()
    run(keys, ["revoke", secret[: api_keys.VISIBLE]])
    listed = run(keys, ["list", "--tenant", "shell"]).stdout.splitlines()

    assert [line.split("  ")[3:5] for line in listed] == [["read", "revoked"], ["read", "live"]]
    assert api_keys.verify(heir).per_minute == 5


def test_a_rotation_never_makes_a_key_live_longer(servers: object) -> None:
    ends = clock.now() + timedelta(minutes=1)
    old, _ = api_keys.create("rotating", "brief", expires_at=ends)
    heir, _ = api_keys.rotate(old, grace=timedelta(days=1))

    assert heir.expires_at == ends
    assert count("select count(*) from api_keys where id = %s and expires_at = %s", old.id, ends) == 1
