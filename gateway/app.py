"""The Flask application: one blueprint a noun. Served by gunicorn as `gateway.app:create_app()`."""

from flask import Flask, Response, request

from gateway import (
    addresses,
    agent,
    agents,
    approvals,
    audit,
    authentication,
    budgets,
    conversations,
    dead_letters,
    doctor,
    external_tools,
    families,
    flow,
    health,
    keys,
    memory,
    memory_care,
    messages,
    metrics,
    origins,
    page,
    plans,
    policies,
    problems,
    publishing,
    queues,
    rate_limits,
    replays,
    retention,
    run_bulk,
    run_events,
    run_facts,
    runs,
    schedules,
    secrets,
    sign_in,
    signals,
    surgery,
    system,
    tools,
    triggers,
    updates,
    url_groups,
    usage,
    webhooks,
)
from gateway.mcp_front import endpoint as mcp
from gateway.mcp_front import rpc
from gateway.openai_front import chat, responses
from gateway.openai_front import errors as openai_errors
from gateway.openapi import routes as openapi
from services import settings
from services.access import row_security

NOUNS = (
    agent,
    updates,
    runs,
    run_bulk,
    run_events,
    run_facts,
    families,
    plans,
    replays,
    surgery,
    approvals,
    policies,
    agents,
    budgets,
    usage,
    schedules,
    signals,
    publishing,
    messages,
    url_groups,
    queues,
    webhooks,
    triggers,
    conversations,
    secrets,
    keys,
    sign_in,
    audit,
    dead_letters,
    doctor,
    flow,
    tools,
    external_tools,
    memory,
    memory_care,
    system,
    retention,
    health,
    metrics,
    chat,
    responses,
    openapi,
    mcp,
    page,
)
NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


def create_app() -> Flask:
    """A gateway, ready to serve. Raises Misconfigured when the environment, or the database's role, can't be used."""
    row_security.insist()
    app = Flask("gateway", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.current().max_body_bytes
    app.config["MAX_FORM_PARTS"] = 0
    app.config["SOCK_SERVER_OPTIONS"] = updates.SOCKET_OPTIONS
    app.url_map.strict_slashes = False
    problems.install(app)
    origins.install(app)
    authentication.install(app)
    rate_limits.install(app)
    audit.install(app)
    addresses.install(app)
    app.after_request(_add_security_headers)
    app.after_request(openai_errors.in_their_words)
    app.after_request(rpc.in_their_words)
    for noun in NOUNS:
        app.register_blueprint(noun.blueprint)
    return app


def _add_security_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", NO_PAGE)
    headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response
