"""Which scope a caller needs for each route, in one table. A route that is not in it is open to nobody.

To add a route: add its line here (`METHOD rule`, the rule as its blueprint writes it); tests/unit/test_scopes.py fails
until then. ANYBODY: it asks for no key; whose data it is about it finds out itself.
"""

from flask import request

from services.access.scopes import ADMIN, APPROVE, OPERATE, READ, RUN

ANYBODY = "anybody"

NEEDED = {
    # the page, and what machines look at
    "GET /": ANYBODY,
    "GET /static/<path:name>": ANYBODY,
    "GET /favicon.ico": ANYBODY,
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /api/system": ANYBODY,
    "GET /openapi.json": ANYBODY,
    "GET /docs": ANYBODY,
    # the token in the address is the key
    "POST /callbacks/<run_id>/<step_id>/<token>": ANYBODY,
    "GET /callbacks/once/<run_id>/<token>": ANYBODY,
    "POST /callbacks/once/<run_id>/<token>": ANYBODY,
    "PUT /callbacks/once/<run_id>/<token>": ANYBODY,
    "PATCH /callbacks/once/<run_id>/<token>": ANYBODY,
    "DELETE /callbacks/once/<run_id>/<token>": ANYBODY,
    "POST /hooks/<trigger_id>": ANYBODY,
    # runs
    "POST /api/agent/start": RUN,
    "GET /api/agent/updates": READ,
    "GET /api/runs": READ,
    "GET /api/runs/<run_id>": READ,
    "GET /api/runs/<run_id>/events": READ,
    "GET /api/runs/<run_id>/why": READ,
    "GET /api/runs/<run_id>/lineage": READ,
    "GET /api/runs/<run_id>/tree": READ,
    "GET /api/runs/<run_id>/attempts": READ,
    "GET /api/runs/<run_id>/steps/<step_id>/attempts": READ,
    "GET /api/runs/<run_a>/diff/<run_b>": READ,
    "POST /api/runs/bulk": RUN,
    "POST /api/runs/<run_id>/steer": RUN,
    "POST /api/runs/<run_id>/cancel": RUN,
    "POST /api/runs/<run_id>/pause": RUN,
    "POST /api/runs/<run_id>/resume": RUN,
    "POST /api/runs/<run_id>/fork": RUN,
    "POST /api/runs/<run_id>/run-now": RUN,
    "POST /api/runs/<run_id>/steps/<step_id>/retry": RUN,
    "POST /api/runs/<run_id>/steps/<step_id>/retry-now": RUN,
    "POST /api/runs/<run_id>/steps/<step_id>/run-now": RUN,
    "POST /api/runs/<run_id>/steps/<step_id>/skip": RUN,
    "POST /api/runs/<run_id>/steps/<step_id>/rerun": RUN,
    # a result that no tool gave, or that nobody is sure of: for who may decide
    "POST /api/runs/<run_id>/steps/<step_id>/override": APPROVE,
    "POST /api/runs/<run_id>/steps/<step_id>/resolve": APPROVE,
    "GET /api/doubts": READ,
    # plans that are looked at first
    "GET /api/reviews": READ,
    "GET /api/runs/<run_id>/plan": READ,
    "PUT /api/runs/<run_id>/plan": RUN,
    "POST /api/plans/preview": READ,
    # runs told again what they were told
    "GET /api/runs/<run_id>/recording": READ,
    "POST /api/runs/<run_id>/replay": RUN,
    "POST /api/replays": RUN,
    "GET /api/replays/<run_id>": READ,
    # what waits for a person
    "GET /api/approvals": READ,
    "GET /api/approvals/<approval_id>": READ,
    "POST /api/approvals/<approval_id>/approve": APPROVE,
    "POST /api/approvals/<approval_id>/reject": APPROVE,
    "POST /api/approvals/<approval_id>/answer": APPROVE,
    "GET /api/policies": READ,
    "POST /api/policies": ADMIN,
    "DELETE /api/policies/<policy_id>": ADMIN,
    # agents, money
    "GET /api/agents": READ,
    "GET /api/agents/<name>": READ,
    "PUT /api/agents/<name>": ADMIN,
    "DELETE /api/agents/<name>": ADMIN,
    "GET /api/budgets/daily": READ,
    "PUT /api/budgets/daily": ADMIN,
    "DELETE /api/budgets/daily": ADMIN,
    "PUT /api/runs/<run_id>/budget": APPROVE,
    "GET /api/usage": READ,
    # time
    "GET /api/schedules": READ,
    "POST /api/schedules": RUN,
    "POST /api/schedules/preview": READ,
    "GET /api/schedules/<name>": READ,
    "PATCH /api/schedules/<name>": RUN,
    "DELETE /api/schedules/<name>": RUN,
    "GET /api/schedules/<name>/slots": READ,
    "POST /api/schedules/<name>/run-now": RUN,
    "POST /api/schedules/<name>/backfill": RUN,
    "POST /api/signals": RUN,
    "GET /api/signals/waiters": READ,
    # messages to URLs, webhooks, URLs that start runs
    "POST /api/publish": RUN,
    "GET /api/messages": READ,
    "GET /api/messages/<message_id>": READ,
    "POST /api/messages/<message_id>/<any('cancel', 'retry-now', 'redrive', 'discard'):verb>": RUN,
    "POST /api/messages/bulk": RUN,
    "GET /api/url-groups": READ,
    "GET /api/url-groups/<name>": READ,
    "PUT /api/url-groups/<name>": RUN,
    "DELETE /api/url-groups/<name>": RUN,
    "GET /api/queues": READ,
    "GET /api/queues/<name>": READ,
    "PUT /api/queues/<name>": RUN,
    "POST /api/queues/<name>/pause": RUN,
    "POST /api/queues/<name>/resume": RUN,
    "DELETE /api/queues/<name>": RUN,
    "GET /api/webhooks": READ,
    "POST /api/webhooks": ADMIN,
    "GET /api/webhooks/events": READ,
    "GET /api/webhooks/<webhook_id>": READ,
    "PATCH /api/webhooks/<webhook_id>": ADMIN,
    "DELETE /api/webhooks/<webhook_id>": ADMIN,
    "POST /api/webhooks/<webhook_id>/rotate-secret": ADMIN,
    "POST /api/webhooks/<webhook_id>/test": ADMIN,
    "GET /api/triggers": READ,
    "POST /api/triggers": ADMIN,
    "GET /api/triggers/<name>": READ,
    "PATCH /api/triggers/<name>": ADMIN,
    "DELETE /api/triggers/<name>": ADMIN,
    "POST /api/triggers/<name>/test": READ,
    # conversations and memory
    "GET /api/conversations": READ,
    "GET /api/conversations/<conversation_id>": READ,
    "GET /api/conversations/<conversation_id>/messages": READ,
    "PATCH /api/conversations/<conversation_id>": RUN,
    "POST /api/conversations/<conversation_id>/fork": RUN,
    "DELETE /api/conversations/<conversation_id>": RUN,
    "GET /api/memory": READ,
    "POST /api/memory": RUN,
    "POST /api/memory/search": READ,
    "GET /api/memory/<memory_id>": READ,
    "GET /api/memory/<memory_id>/history": READ,
    "POST /api/memory/<memory_id>/supersede": RUN,
    "DELETE /api/memory/<memory_id>": RUN,
    "POST /api/memory/forget": RUN,
    "GET /api/memory/quarantine": READ,
    "POST /api/memory/<memory_id>/release": APPROVE,
    "GET /api/memory/export": READ,
    "POST /api/memory/import": RUN,
    "GET /api/memory/embedding": READ,
    "POST /api/memory/reembed": OPERATE,
    # upkeep
    "GET /api/dead-letters": READ,
    "GET /api/dead-letters/<letter_id>": READ,
    "POST /api/dead-letters/<letter_id>/<any(resume, restart, discard):action>": RUN,
    "POST /api/dead-letters/bulk": RUN,
    "GET /api/doctor": READ,
    "POST /api/doctor": ADMIN,
    "POST /api/gc": ADMIN,
    "GET /api/secrets": ADMIN,
    "PUT /api/secrets/<name>": ADMIN,
    "DELETE /api/secrets/<name>": ADMIN,
    # numbers, of all tenants
    "GET /metrics": ADMIN,
    # who may call
    "POST /api/session": ANYBODY,
    "GET /api/session": READ,
    "DELETE /api/session": READ,
    "POST /api/tickets": READ,
    "GET /api/keys": ADMIN,
    "POST /api/keys": ADMIN,
    "POST /api/keys/<key_id>/rotate": ADMIN,
    "DELETE /api/keys/<key_id>": ADMIN,
    "GET /api/audit": ADMIN,
    "GET /api/audit/verify": ADMIN,
    # limits of the whole system want `operate` besides (gateway/flow.py)
    "GET /api/flow": READ,
    "GET /api/flow/<path:key>": READ,
    "PUT /api/flow/<path:key>": ADMIN,
    "DELETE /api/flow/<path:key>": ADMIN,
    "POST /api/flow/<path:key>/<any(pause, resume):action>": ADMIN,
    # tools are everybody's, and a command is run by the workers
    "GET /api/tools": READ,
    "GET /api/mcp-servers": READ,
    "GET /api/mcp-servers/<name>": READ,
    "PUT /api/mcp-servers/<name>": OPERATE,
    "DELETE /api/mcp-servers/<name>": OPERATE,
    "POST /api/mcp-servers/<name>/refresh": OPERATE,
    "POST /api/mcp-servers/<name>/tools/<tool>/approve": OPERATE,
    "GET /api/http-tools": READ,
    "PUT /api/http-tools/<name>": OPERATE,
    "DELETE /api/http-tools/<name>": OPERATE,
    # OpenAI's clients
    "GET /v1/models": READ,
    "GET /v1/models/<name>": READ,
    "POST /v1/chat/completions": RUN,
    "POST /v1/responses": RUN,
    "GET /v1/responses/<response_id>": READ,
    "POST /v1/responses/<response_id>/cancel": RUN,
    # each tool asks for its own (gateway/mcp_front/tools.py)
    "POST /mcp": READ,
    "GET /mcp": READ,
    "DELETE /mcp": READ,
}


def needed() -> str | None:
    """The scope that the present request needs; None for what is no route of ours, or not in the table."""
    if request.url_rule is None:
        return None
    if request.method == "OPTIONS":
        return ANYBODY  # it tells which methods there are
    method = "GET" if request.method == "HEAD" else request.method
    return NEEDED.get(f"{method} {request.url_rule.rule}")
