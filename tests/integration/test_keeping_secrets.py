"""Secrets: kept encrypted, named by handles, sent only where they are meant for, and struck out of what is written."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gateway.app import create_app
from services import database
from services.errors import Failed, Misconfigured, NotFound
from services.secrets import handles, redaction, vault
from tests.environment import environment

VALUE = "canary-4f6b/92+secret"


@pytest.fixture
def http(servers: Any) -> FlaskClient:
    return create_app().test_client()


def test_no_reply_and_no_row_holds_the_value(http: FlaskClient) -> None:
    kept = http.put("/api/secrets/api", json={"value": VALUE, "hosts": ["api.example.com"]})
    replies = [kept.text, http.get("/api/secrets").text]
    with database.session() as session:
        rows = session.execute(text("select t::text from secrets t")).scalars().all()

    assert kept.json["handle"] == "{{secret:api}}"
    assert all(VALUE not in each for each in [*replies, *rows])
    assert vault.reveal("default", "api") == VALUE


def test_a_handle_becomes_the_secret_only_for_its_hosts(servers: Any) -> None:
    vault.put("default", "api", VALUE, ["*.example.com"])

    assert handles.filled("default", {"a": ["Bearer {{secret:api}}"]}, "x.example.com") == {"a": [f"Bearer {VALUE}"]}
    with pytest.raises(Failed, match="not meant for"):
        handles.filled("default", "{{secret:api}}", "evil.example")
    with pytest.raises(Failed, match="no secret"):
        handles.filled("default", "{{secret:none}}", "x.example.com")


def test_another_tenant_has_no_such_secret(servers: Any) -> None:
    vault.put("default", "mine", VALUE, ["*"])

    with pytest.raises(Failed, match="no secret"):
        vault.reveal("other", "mine")


def test_what_was_revealed_is_struck_out_in_every_form(servers: Any) -> None:
    vault.put("default", "api", VALUE, ["*"])
    vault.reveal("default", "api")
    from base64 import b64encode
    from urllib.parse import quote

    said = {"text": f"it is {VALUE}!", "more": [quote(VALUE, safe=""), b64encode(VALUE.encode()).decode()], "n": 1}

    assert redaction.clean(said) == {"text": "it is [secret api]!", "more": ["[secret api]", "[secret api]"], "n": 1}


def test_without_a_key_nothing_is_kept_on_a_real_database(servers: Any) -> None:
    with environment(PERDURE_EMBEDDED="0", SECRET_KEY=None), pytest.raises(Misconfigured, match="SECRET_KEY"):
        vault.put("default", "x", VALUE, [])


def test_a_secret_kept_with_another_key_is_said_so(servers: Any) -> None:
    with environment(SECRET_KEY="one"):
        vault.put("default", "old", VALUE, [])
    with environment(SECRET_KEY="two"), pytest.raises(Failed, match="another SECRET_KEY"):
        vault.reveal("default", "old")


def test_a_forgotten_secret_is_gone(http: FlaskClient) -> None:
    http.put("/api/secrets/short-lived", json={"value": VALUE})

    assert http.delete("/api/secrets/short-lived").status_code == 200
    with pytest.raises(NotFound):
        vault.remove("default", "short-lived")


@pytest.mark.parametrize(("name", "value"), [("1x", VALUE), ("a b", VALUE), ("ok", "short")])
def test_names_and_values_have_a_form_and_a_fault_does_not_repeat_the_value(
    http: FlaskClient, name: str, value: str
) -> None:
    reply = http.put(f"/api/secrets/{name}", json={"value": value})

    assert reply.status_code == 400
    assert value not in reply.text
