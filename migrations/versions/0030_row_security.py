"""Tenants never meet: row-level security on every table that holds something of theirs."""

from migrations import row_security

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

WITH_A_TENANT = (
    "agents",
    "api_keys",
    "approvals",
    "attempts",
    "blob_uses",
    "blobs",
    "budgets",
    "conversation_summaries",
    "conversations",
    "dead_letters",
    "deduplications",
    "delegations",
    "delivery_attempts",
    "delivery_queues",
    "events",
    "flow_waits",
    "http_tools",
    "idempotency_keys",
    "mcp_servers",
    "memories",
    "memory_vectors",
    "messages",
    "delivery_messages",
    "model_calls",
    "plans",
    "policies",
    "reservations",
    "runs",
    "schedules",
    "secrets",
    "signals",
    "steps",
    "submissions",
    "triggers",
    "url_groups",
    "webhooks",
)
# without a tenant of their own: theirs is that of the row which they belong to (and whose policy holds in here too)
OF_ANOTHER = {
    "flow_keys": "name ~ '^(tool|tenant):' or starts_with(name, {present} || '/')",
    "mcp_tools": "exists (select from mcp_servers s where s.name = server)",
    "schedule_slots": "exists (select from schedules s where s.id = schedule_id)",
    "trigger_calls": "exists (select from triggers t where t.id = trigger_id)",
}


def upgrade() -> None:
    for table in WITH_A_TENANT:
        row_security.protect(table)
    for table, rows in OF_ANOTHER.items():
        row_security.protect(table, rows=rows)


def downgrade() -> None:
    for table in (*WITH_A_TENANT, *OF_ANOTHER):
        row_security.expose(table)
