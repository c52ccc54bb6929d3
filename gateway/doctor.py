"""/api/doctor: whether the invariants hold, for the caller's runs, the queues and the workers; and their repair."""

from flask import Blueprint, Response

from gateway import authentication, queries, wire
from services.pipeline import doctor

blueprint = Blueprint("doctor", __name__)


@blueprint.get("/api/doctor")
def examine() -> Response:
    """All findings, the worst first; `healthy` when none is an error or a warning."""
    return _examined(fix=False)


@blueprint.post("/api/doctor")
def repair() -> Response:
    """The same, after repairing what can be repaired."""
    return _examined(fix=True)


def _examined(*, fix: bool) -> Response:
    queries.known_only("everything")
    caller = authentication.caller()
    findings = doctor.examine(
        tenant=caller.tenant if caller.key_id else None,
        fix=fix,
        everything=queries.choice("everything", ["true"]) is not None,
    )
    unhealthy = [finding for finding in findings if finding.severity != "info" and not finding.repaired]
    return wire.reply({"healthy": not unhealthy, "findings": [vars(finding) for finding in findings]})
