"""The audit log has every write of a tenant, and nobody can change it unnoticed."""

from uuid import uuid4

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import text

from gateway.command_line.audit import audit as command
from services import database
from services.access import api_keys, audit

Admin = tuple[str, dict[str, str]]


@pytest.fixture
def admin(keys_required: None) -> Admin:
    tenant = f"audited-{uuid4().hex[:8]}"
    return tenant, {"X-API-Key": api_keys.create(tenant, "admin", scopes=("admin",))[1]}


def write(http: FlaskClient, admin: Admin, times: int = 1) -> None:
    for number in range(times):
        http.put(f"/api/agents/agent-{number}", json={"instructions": "x"}, headers=admin[1])


def tamper(statement: str, tenant: str) -> None:
    with database.session() as session:
        session.execute(text(statement), {"tenant": tenant})


def test_every_write_is_written_down_and_no_look(http: FlaskClient, admin: Admin) -> None:
    tenant, headers = admin
    http.get("/api/runs", headers=headers)
    http.post("/api/memory/search", json={"query": "x", "userId": "ada"}, headers=headers)
    started = http.post("/api/agent/start", json={"request": "x"}, headers=headers)
    http.put("/api/agents/a", json={"nonsense": 1}, headers=headers)
    http.delete("/api/agents/none?x=1", headers=headers)
    rows = http.get("/api/audit", headers=headers).json["items"]
    told = [(row["method"], row["path"], row["status"]) for row in reversed(rows)]

    assert started.status_code == 202
    assert told == [
        ("POST", "/api/agent/start", 202),
        ("PUT", "/api/agents/a", 400),
        ("DELETE", "/api/agents/none?x=1", 404),
    ]
    assert {row["actor"] for row in rows} == {f"key {api_keys.listed(tenant)[0].id}"}


def test_an_intact_log_verifies_and_goes_by_pages(http: FlaskClient, admin: Admin) -> None:
    write(http, admin, 5)
    first = http.get("/api/audit?limit=2", headers=admin[1]).json
    rest = http.get(f"/api/audit?limit=9&before={first['next']}", headers=admin[1]).json

    assert [row["seq"] for row in first["items"] + rest["items"]] == [5, 4, 3, 2, 1] and rest["next"] is None
    assert http.get("/api/audit/verify", headers=admin[1]).json == {"intact": True, "faults": []}


@pytest.mark.parametrize(
    "statement, said",
    [
        ("update audit_log set path = '/api/innocent' where seq = 2 and tenant = :tenant", "row 2 was altered"),
        ("update audit_log set actor = 'somebody' where seq = 3 and tenant = :tenant", "row 3 was altered"),
        ("delete from audit_log where seq = 2 and tenant = :tenant", "row 2 is missing"),
        ("delete from audit_log where seq = 4 and tenant = :tenant", "row 4 is missing"),
    ],
)
def test_a_row_that_was_altered_or_taken_away_is_named(
    http: FlaskClient, admin: Admin, statement: str, said: str
) -> None:
    tenant, headers = admin
    write(http, admin, 4)
    tamper(statement, tenant)
    ran = CliRunner().invoke(command, ["verify", "--tenant", tenant])

    assert (ran.exit_code, said in ran.output) == (1, True), ran.output
    assert said in http.get("/api/audit/verify", headers=headers).json["faults"][0]


def test_a_row_whose_hash_was_made_to_fit_breaks_the_chain(http: FlaskClient, admin: Admin) -> None:
    tenant, _ = admin
    write(http, admin, 3)
    tamper("update audit_log set path = '/api/innocent' where seq = 2 and tenant = :tenant", tenant)
    tamper("update audit_log l set hash = audit_hash(l) where seq = 2 and tenant = :tenant", tenant)
    ((_, _, fault),) = list(audit.verify(tenant))

    assert fault is not None and (fault.seq, fault.fault) == (3, "broken")


def test_writes_at_once_make_one_chain(http: FlaskClient, admin: Admin) -> None:
    from concurrent.futures import ThreadPoolExecutor

    tenant, _ = admin
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: audit.record(tenant, "local", "POST", f"/x/{n}", 200, None), range(40)))

    assert list(audit.verify(tenant)) == [(tenant, 40, None)]
