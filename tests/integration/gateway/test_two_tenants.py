"""Two tenants meet at every route: one calls all of them with what it could know of the other, and learns nothing.

What `red` has holds marks. `blue` sends red's ids and names, with plausible bodies, to every route of the table of
scopes. No answer may hold a mark, no list one of red's ids, and no row of red's may change.
"""

import itertools
import random
import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gateway import scopes
from gateway.app import create_app
from services import database, tenants
from services.access import api_keys
from services.errors import NotFound
from services.journal import runs
from services.pipeline import embedded_servers
from tests.environment import environment

MARK = "redmark7f3a"
UNCHANGING = ("POST /api/doctor", "GET /api/agent/updates")  # speaks WebSocket: tested with one
BODIES: list[Any] = [
    None,
    {},
    {"request": "x"},
    {"plan": {"steps": [{"id": "s", "tool": "echo", "arguments": {"text": "x"}}]}},
    {"reason": "because"},
    {"arguments": {"text": "mine now"}},
    {"answer": "yes"},
    {"output": "mine now"},
    {"outcome": "happened"},
    {"query": MARK[:3] + " secret", "userId": "ada", "k": 200},
    {"text": "mine now"},
    {"userId": "ada"},
    {"name": "theirs", "data": 1},
    {"title": "mine now"},
    {"paused": True},
    {"description": "mine now"},
    {"parallelism": 1},
    {"value": "mine now"},
    {"olderThan": 0, "states": ["succeeded", "failed", "cancelled"], "dryRun": False},
    {"action": "discard", "dryRun": False},
    {"since": "2020-01-01T00:00:00Z", "until": "2030-01-01T00:00:00Z"},
    {"model": "theirs", "messages": [{"role": "user", "content": "x"}]},
    {"tool": "*", "decision": "deny"},
]


class Tenant:
    """A client with a key that may do everything but operate the system."""

    def __init__(self, http: FlaskClient, name: str, *, scope: str = "admin") -> None:
        self.http, self.name = http, name
        self._headers = {"X-API-Key": api_keys.create(name, "everything", scopes=(scope,))[1]}

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        return self.http.open(path, method=method, json=body, query_string=query, headers=self._headers)


def furnish(red: Tenant) -> dict[str, str]:
    """Something of every noun, with the mark in it; returns the ids and names that blue gets to know."""
    made: dict[str, str] = {}
    plan = {"steps": [{"id": "s", "tool": "echo", "arguments": {"text": MARK}}]}
    answers: dict[str, Any] = {
        "run_id": red("POST", "/api/agent/start", {"request": MARK, "userId": "ada", "conversationId": "talk"}),
        "planned": red("POST", "/api/agent/start", {"plan": plan, "labels": {"team": MARK}}),
        "memory_id": red("POST", "/api/memory", {"text": f"The secret is {MARK}", "userId": "ada"}),
        "policy_id": red("POST", "/api/policies", {"decision": "deny", "tool": "echo", "note": MARK}),
        "key_id": red("POST", "/api/keys", {"name": MARK}),
        "webhook_id": red("POST", "/api/webhooks", {"url": f"https://red.example/{MARK}", "events": ["run.succeeded"]}),
        "message_id": red("POST", "/api/publish", {"url": f"https://red.example/{MARK}", "body": {"x": MARK}}),
    }
    for name, answer in answers.items():
        assert answer.status_code < 300, (name, answer.text)
        made[name] = answer.json.get("id") or answer.json.get("workflowId")
    timing = {"name": "theirs", "every": 3_600, "run": {"request": MARK}}
    for method, path, body in [
        ("POST", "/api/schedules", timing),
        ("PUT", "/api/agents/theirs", {"instructions": MARK}),
        ("PUT", "/api/secrets/theirs", {"value": MARK, "hosts": ["red.example"]}),
        ("PUT", "/api/budgets/daily", {"money": 7.25}),
        ("PUT", "/api/flow/theirs", {"parallelism": 7}),
        ("PATCH", "/api/conversations/talk", {"title": MARK}),
        ("POST", "/api/signals", {"name": "theirs", "data": MARK}),
        ("POST", "/api/triggers", {"name": "theirs", "start": {"request": MARK}}),
        ("PUT", "/api/url-groups/theirs", {"endpoints": [{"url": f"https://red.example/{MARK}"}]}),
        ("PUT", "/api/queues/theirs", {"parallelism": 3}),
    ]:
        answer = red(method, path, body)
        assert answer.status_code < 300, (path, answer.text)
    failing = made["run_id"]
    with tenants.only(red.name):
        claimed = runs.claim_phase(failing, "plan", "worker")
        assert claimed and runs.fail_phase(claimed, detail=MARK, retry_in=None)
    made["letter_id"] = _waiting(red.name, made["run_id"])
    made["approval_id"] = str(_one("select id from approvals where tenant = :tenant", red.name))
    return {**made, "conversation_id": "talk", "name": "theirs", "step_id": "s", "key": "theirs", "tool": "echo"}


def _waiting(tenant: str, run_id: str) -> str:
    """An open approval of the run, as a worker would have asked; returns the id of the tenant's dead letter."""
    insert = """
        insert into approvals (tenant, run_id, step_id, attempt, kind, hash, tool, arguments, expires_at)
        values (:tenant, :run, 's', 1, 'approval', :mark, 'echo', jsonb_build_object('text', cast(:mark as text)),
                now() + interval '1 day')"""
    with database.session() as session:
        session.execute(text(insert), {"tenant": tenant, "run": run_id, "mark": MARK})
    return str(_one("select id from dead_letters where tenant = :tenant", tenant))


def _one(query: str, tenant: str) -> Any:
    with database.session() as session:
        return session.execute(text(query), {"tenant": tenant}).scalar_one()


def fingerprint(tenant: str) -> dict[str, str]:
    """What each table has of this tenant, as one hash a table."""
    owned = "select table_name from information_schema.columns where column_name = 'tenant' and table_schema = 'public'"
    found = {}
    with database.session() as session:
        for table in session.execute(text(owned)).scalars().all():
            rows = f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t where tenant = :tenant"
            found[table] = session.execute(text(rows), {"tenant": tenant}).scalar()
    return found


def requests(route: str, known: dict[str, str]) -> list[tuple[str, str, Any]]:
    """Every way in which blue calls this route."""
    method, rule = route.split(" ", 1)
    rule = rule.replace("<any(pause, resume):action>", "pause")
    places = re.findall(r"<(?:[a-z]+(?:\([^)]*\))?:)?(\w+)>", rule)
    candidates = [_candidates(place, known) for place in places]
    found = []
    for values in itertools.product(*candidates):
        path = rule
        for value in values:
            path = re.sub(r"<[^>]+>", value, path, count=1)
        found += [(method, path, body) for body in ([None] if method == "GET" else BODIES)]
    return found


def _candidates(place: str, known: dict[str, str]) -> list[str]:
    if place in ("action", "verb"):
        return ["discard", "resume", "restart"] if place == "action" else ["cancel", "retry-now", "redrive", "discard"]
    if place in ("run_id", "run_a", "run_b"):
        return [known["run_id"], known["planned"]]
    if place == "response_id":
        return [f"resp_{known['run_id'].replace('-', '')}", f"resp_{known['run_id']}"]
    return [known.get(place, "theirs")]


@pytest.fixture
def both(tools: None, keys_required: None) -> tuple[Tenant, Tenant]:
    http = create_app().test_client()
    number = uuid4().hex[:8]
    return Tenant(http, f"red-{number}"), Tenant(http, f"blue-{number}")


def test_a_tenant_that_calls_every_route_with_ids_of_another_learns_and_changes_nothing(
    both: tuple[Tenant, Tenant],
) -> None:
    red, blue = both
    known = furnish(red)
    before = fingerprint(red.name)
    everything = [each for route in scopes.NEEDED if route not in UNCHANGING for each in requests(route, known)]
    random.Random(7).shuffle(everything)
    answers = [(method, path, body, blue(method, path, body)) for method, path, body in everything]
    leaked = [(method, path, answer.text[:200]) for method, path, _, answer in answers if MARK in answer.text]
    failed = [(method, path, body) for method, path, body, answer in answers if answer.status_code >= 500]

    assert len(answers) > 1_000
    assert leaked == []
    assert [each for each in failed if each[1] != "/readyz"] == []  # no workers here, so it is not ready
    assert fingerprint(red.name) == before


def test_lists_hold_no_id_of_another_tenant(both: tuple[Tenant, Tenant]) -> None:
    red, blue = both
    known = furnish(red)
    ids = [value for value in known.values() if len(value) > 30]
    lists = [route.split(" ", 1)[1] for route in scopes.NEEDED if route.startswith("GET ") and "<" not in route]
    answers = {path: blue("GET", path) for path in lists if path != "/api/agent/updates"}

    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} in (
        {},
        {"/readyz": 503},
    )
    assert [(path, one) for path, answer in answers.items() for one in ids if one in answer.text] == []
    assert red("GET", "/api/runs").json["items"], "red sees its own"


def test_a_query_for_another_tenant_finds_nothing_all_the_same(both: tuple[Tenant, Tenant]) -> None:
    """Row-level security is a second wall: here a query asks for red's run while the work is for blue."""
    red, blue = both
    run_id = furnish(red)["run_id"]
    seen = runs.get(red.name, run_id)
    with tenants.only(blue.name), pytest.raises(NotFound):
        runs.get(red.name, run_id)

    assert str(seen.id) == run_id


def test_who_is_not_held_to_row_security_would_see_the_row(both: tuple[Tenant, Tenant]) -> None:
    """The proof that the test before tests something: a superuser sees it."""
    red, blue = both
    run_id = furnish(red)["run_id"]
    url = database.engine().url.render_as_string(hide_password=False)
    with environment(DATABASE_URL=embedded_servers.as_superuser(url)):
        database._connections = None
        try:
            with tenants.only(blue.name):
                seen = runs.get(red.name, run_id)
        finally:
            database._connections = None

    assert str(seen.id) == run_id
