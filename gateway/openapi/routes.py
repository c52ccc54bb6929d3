"""GET /openapi.json."""

import hashlib

import orjson
from flask import Blueprint, Response, current_app, request

from gateway.openapi import document

blueprint = Blueprint("openapi", __name__)


@blueprint.get("/openapi.json")
def show() -> Response:
    """The document, made once a process; browsers and tools ask again with its ETag."""
    made = current_app.extensions.get("openapi")
    if made is None:
        made = current_app.extensions["openapi"] = orjson.dumps(document.of(current_app))
    reply = Response(made, content_type="application/json")
    reply.headers["Cache-Control"] = "no-cache"
    reply.set_etag(hashlib.sha256(made).hexdigest()[:32])
    reply.make_conditional(request)
    return reply
