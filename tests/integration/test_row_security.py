"""Tenants never meet: Postgres itself shows each only its rows, whatever a query forgot to ask."""

from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services import database, settings, tenants
from services.access import row_security
from services.errors import BadInput, Misconfigured
from services.journal import runs
from services.pipeline import embedded_servers
from tests.environment import environment

# tables without row-level security, and why nothing of a tenant is in them
OF_NOBODY = {
    "alembic_version": "the number of the newest migration",
    "embedding_models": "names of models that the whole system uses",
    "memories_to_embed": "ids of memories that have no vector yet; the texts are elsewhere",
    "queue_marks": "how long queues take",
    "tool_vectors": "vectors of what workers offer to everybody",
    "tools": "what workers offer to everybody",
    "workers": "processes",
}
TABLES = """
    select c.relname, c.relrowsecurity and c.relforcerowsecurity, count(p.polname),
           exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant' and not a.attisdropped)
    from pg_class c left join pg_policy p on p.polrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') group by c.oid
"""


def a_run(tenant: str) -> str:
    run_id = str(runs.new_id())
    row = {"id": run_id, "tenant": tenant, "user_id": "u", "conversation_id": run_id, "request": "x"}
    with tenants.only(tenant):
        runs.create(row)
    return run_id


def seen(run_id: str, tenant: str) -> int:
    with tenants.only(tenant), database.session() as session:
        return session.execute(text("select count(*) from runs where id = :id"), {"id": run_id}).scalar_one()


def test_every_table_is_protected_or_on_the_list_with_its_reason(servers: Any) -> None:
    """A migration that makes a table calls migrations.row_security.protect."""
    with database.session() as session:
        found = session.execute(text(TABLES)).all()
    unprotected = {name for name, forced, policies, _ in found if not (forced and policies)}

    assert unprotected == set(OF_NOBODY)
    assert not {name for name, *_, has_tenant in found if has_tenant} & unprotected


def test_the_role_of_the_embedded_servers_is_held_to_it(servers: Any) -> None:
    assert row_security.fault() is None


def test_a_tenant_sees_its_own_rows_workers_all_and_nobody_none(servers: Any) -> None:
    run_id = a_run("red")

    assert [seen(run_id, tenant) for tenant in ("red", "blue", tenants.NOBODY, tenants.EVERY)] == [1, 0, 0, 1]


def test_a_connection_that_says_nothing_sees_nothing(servers: Any) -> None:
    run_id = a_run("red")
    with psycopg.connect(servers.database_url) as connection:
        found = connection.execute("select count(*) from runs where id = %s", [run_id]).fetchone()

    assert found == (0,)


def test_a_tenant_can_neither_write_nor_change_nor_delete_rows_of_another(servers: Any) -> None:
    run_id = a_run("red")
    insert = text("insert into budgets (tenant, account, limits, on_exceed) values ('red', 'x', '{}', 'stop')")
    with pytest.raises(ProgrammingError, match="row-level security"), tenants.only("blue"):
        with database.session() as session:
            session.execute(insert)
    with tenants.only("blue"), database.session() as session:
        changed = session.execute(text("update runs set request = 'mine' where id = :id"), {"id": run_id}).rowcount
        deleted = session.execute(text("delete from runs where id = :id"), {"id": run_id}).rowcount

    assert (changed, deleted) == (0, 0)


def test_a_function_called_for_one_tenant_does_not_find_the_run_of_another(servers: Any) -> None:
    run_id = a_run("red")
    with tenants.only("blue"):
        refused = database.call("cancel_run", run_id, "red")
    with tenants.only("red"):
        cancelled = database.call("cancel_run", run_id, "red")

    assert refused is None
    assert cancelled


def test_a_connection_forgets_its_tenant_with_the_transaction(servers: Any) -> None:
    run_id = a_run("red")
    with environment(DB_POOL_SIZE="2"):
        database._connections = None  # one connection for sessions, one for calls
        try:
            order = ["red", "blue", tenants.EVERY, "blue", "red"]
            counts = [seen(run_id, tenant) for tenant in order]
        finally:
            database._connections = None

    assert counts == [1, 0, 1, 0, 1]


def test_a_superuser_is_refused_where_keys_are_asked_for(servers: Any) -> None:
    superuser = embedded_servers.as_superuser(settings.current().database)
    with environment(DATABASE_URL=superuser, PERDURE_AUTH="required"):
        database._connections = None
        try:
            with pytest.raises(Misconfigured, match="nosuperuser"):
                row_security.insist()
        finally:
            database._connections = None


@pytest.mark.parametrize("name", ["*", "", "a/b", "x" * 101, "tool x", "-"])
def test_a_name_that_would_stand_for_others_is_no_tenant(name: str) -> None:
    with pytest.raises(BadInput, match="tenant"):
        tenants.checked(name)
