"""Signing in at the page: a cookie that pages of other sites can't use, and tickets that open one socket each."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from services import database
from services.access import api_keys, people
from services.journal import runs
from tests.environment import environment
from tests.integration.gateway.conftest import Gateway

HERE = {"Origin": "http://localhost"}
PASSWORD = "correct horse battery"


@pytest.fixture
def ada(servers: None) -> str:
    name = f"ada-{uuid4().hex[:6]}"
    people.put(name, PASSWORD, tenant=name, scopes=("run",))
    return name


def sign_in(http: FlaskClient, name: str, password: str = PASSWORD, headers: dict[str, str] = HERE):  # type: ignore[no-untyped-def]
    return http.post("/api/session", json={"name": name, "password": password}, headers=headers)


def test_a_password_opens_the_tenant_until_signing_out(http: FlaskClient, keys_required: None, ada: str) -> None:
    before = http.get("/api/runs").status_code
    answer = sign_in(http, ada)
    cookie = answer.headers["Set-Cookie"]
    who = http.get("/api/session").json
    started = http.post("/api/agent/start", json={"request": "x"}, headers=HERE)
    http.delete("/api/session", headers=HERE)

    assert (before, answer.status_code, started.status_code, http.get("/api/runs").status_code) == (401, 201, 202, 401)
    assert who == {"signedIn": True, "person": ada, "tenant": ada, "scopes": ["run"]}
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(
    http: FlaskClient, keys_required: None, ada: str
) -> None:
    wrong, unknown = sign_in(http, ada, "guessed it, maybe"), sign_in(http, "nobody")

    assert (
        (wrong.status_code, wrong.json["detail"])
        == (unknown.status_code, unknown.json["detail"])
        == (
            401,
            people.WRONG,
        )
    )


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}])
def test_pages_of_other_sites_can_not_act_with_the_cookie(
    http: FlaskClient, keys_required: None, ada: str, headers: dict[str, str]
) -> None:
    sign_in(http, ada)

    assert http.post("/api/agent/start", json={"request": "x"}, headers=headers).status_code == 403
    assert sign_in(http, ada, headers=headers).status_code == 403


def test_neither_password_nor_cookie_is_stored(http: FlaskClient, keys_required: None, ada: str) -> None:
    token = sign_in(http, ada).headers["Set-Cookie"].split("=")[1].split(";")[0]
    with database.session() as session:
        kept = str(
            session.execute(text("select * from people")).all() + session.execute(text("select * from sign_ins")).all()
        )

    assert PASSWORD not in kept and token not in kept and "$argon2id$" in kept


def test_the_first_admin_has_the_password_of_the_environment_or_one_that_is_told_once(servers: None) -> None:
    with database.session() as session:
        session.execute(text("delete from people"))
    told = people.first_admin()

    assert told and people.checked(people.FIRST, told).scopes == ["operate"] and people.first_admin() is None
    with database.session() as session:
        session.execute(text("delete from people"))
    with environment(ADMIN_PASSWORD="from the environment"):
        assert people.first_admin() is None
    assert people.checked(people.FIRST, "from the environment").name == people.FIRST


@pytest.fixture(scope="module")
def guarded(servers: None) -> Iterator[Gateway]:
    started = Gateway(PERDURE_AUTH="required", PERDURE_CORS_ORIGINS="https://shop.example")
    yield started
    started.stop()


def followed(guarded: Gateway) -> tuple[api_keys.ApiKey, str, str, str]:
    tenant = f"sockets-{uuid4().hex[:6]}"
    key, secret = api_keys.create(tenant, "socket")
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": tenant, "user_id": "u", "conversation_id": run_id, "request": "x"}
    runs.create(row)
    return key, secret, guarded.updates(run_id), tenant


def ticket_of(guarded: Gateway, secret: str) -> str:
    import httpx2

    answer = httpx2.post(f"{guarded.url}/api/tickets", headers={"X-API-Key": secret})
    return str(answer.json()["ticket"])


def test_a_ticket_opens_one_socket_once(guarded: Gateway) -> None:
    _, secret, url, _ = followed(guarded)
    address = f"{url}&ticket={ticket_of(guarded, secret)}"
    with connect(address) as socket:
        assert "run.created" in socket.recv(timeout=10)
    with pytest.raises(InvalidStatus, match="401"), connect(address):
        pass


def test_a_socket_of_a_revoked_key_closes_within_five_seconds(guarded: Gateway) -> None:
    key, secret, url, _ = followed(guarded)
    with connect(url, additional_headers={"X-API-Key": secret}) as socket:
        socket.recv(timeout=10)
        api_keys.revoke(key)
        revoked = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)

    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4401
    assert time.monotonic() - revoked < 5


@pytest.mark.parametrize("origin, opens", [("https://evil.example", False), ("https://shop.example", True)])
def test_sockets_open_for_listed_sites_only(guarded: Gateway, origin: str, opens: bool) -> None:
    _, secret, url, _ = followed(guarded)
    address = f"{url}&ticket={ticket_of(guarded, secret)}"
    if opens:
        with connect(address, origin=origin) as socket:  # type: ignore[arg-type]  # it is a str
            assert socket.recv(timeout=10)
    else:
        with pytest.raises(InvalidStatus, match="403"), connect(address, origin=origin):  # type: ignore[arg-type]
            pass


def test_listed_sites_may_read_answers_and_others_not(http: FlaskClient) -> None:
    asks = {"Access-Control-Request-Method": "POST"}
    with environment(PERDURE_CORS_ORIGINS="https://shop.example"):
        listed = http.options("/api/agent/start", headers={"Origin": "https://shop.example", **asks})
        seen = http.get("/api/runs", headers={"Origin": "https://shop.example"})
        other = http.get("/api/runs", headers={"Origin": "https://evil.example"})

    assert listed.status_code == 204 and "Authorization" in listed.headers["Access-Control-Allow-Headers"]
    assert seen.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert other.status_code == 403 and "Access-Control-Allow-Origin" not in other.headers
