"""GET /metrics: what the whole system counts and holds, for Prometheus. The same from every gateway process."""

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from gateway import declare
from gateway.brief_cache import BriefCache
from services import tenants
from services.metrics import reading

blueprint = Blueprint("metrics", __name__)
_read: BriefCache[bytes] = BriefCache(seconds=1)  # several scrapers cost as much as one


@blueprint.get("/metrics")
@declare.operation(gives=declare.Text(CONTENT_TYPE_PLAIN_0_0_4, "Metrics in Prometheus' text format."))
def show() -> Response:
    """The text format. Where keys are asked for, it needs one with the scope `admin`; numbers only, of all tenants."""
    with tenants.every():
        text = _read.get("all", reading.text)
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)
