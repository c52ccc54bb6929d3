"""/api/doctor: whether the invariants hold for the caller's runs (with `operate`: all), queues and workers; repairs."""

from flask import Blueprint, Response
from typing_extensions import TypedDict

from gateway import authentication, declare, queries, wire
from gateway.fields import Flag
from services import tenants
from services.access.scopes import OPERATE
from services.pipeline import doctor
from services.pipeline.doctor_rounds import Finding

blueprint = Blueprint("doctor", __name__)


class Scope(queries.Query):
    """everything: look at all runs, not only at those that live or ended lately."""

    everything: Flag = False


class Examined(TypedDict):
    """All findings, the worst first."""

    healthy: bool
    findings: list[Finding]


@blueprint.get("/api/doctor")
@declare.operation(query=Scope, gives=Examined)
def examine() -> Response:
    """All findings, the worst first; `healthy` when none is an error or a warning."""
    return _examined(fix=False)


@blueprint.post("/api/doctor")
@declare.operation(query=Scope, gives=Examined)
def repair() -> Response:
    """The same, after repairing what can be repaired."""
    return _examined(fix=True)


def _examined(*, fix: bool) -> Response:
    asked = queries.read(Scope)
    caller = authentication.caller()
    everybody = caller.may(OPERATE)
    with tenants.only(tenants.EVERY if everybody else caller.tenant):
        findings = doctor.examine(tenant=None if everybody else caller.tenant, fix=fix, everything=asked.everything)
    unhealthy = [finding for finding in findings if finding.severity != "info" and not finding.repaired]
    return wire.reply({"healthy": not unhealthy, "findings": [vars(finding) for finding in findings]})
