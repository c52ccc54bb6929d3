"""Row-level security: each table with a tenant shows and takes only rows of the tenant that the transaction names.

A migration that makes such a table calls `protect` (tests/integration/test_row_security.py insists).
`perdure.tenant` is set by services/database.py; `*` is everybody, for workers. Where it is not set, there are no rows.
Forced, so that it holds for the tables' owner too, who is the role that the processes connect as.
"""

from alembic import op

PRESENT = "current_setting('perdure.tenant', true)"
OF_THE_TENANT = "tenant = {present}"


def protect(table: str, *, rows: str = OF_THE_TENANT) -> None:
    """Show and take only the present tenant's rows. rows: the condition that says which those are."""
    condition = f"{PRESENT} = '*' or {rows.format(present=PRESENT)}"
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(f"create policy of_the_tenant on {table} using ({condition}) with check ({condition})")


def expose(table: str) -> None:
    """The opposite, for a downgrade."""
    op.execute(f"drop policy of_the_tenant on {table}")
    op.execute(f"alter table {table} no force row level security")
    op.execute(f"alter table {table} disable row level security")
