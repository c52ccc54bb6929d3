"""Errors as OpenAI's clients know them: {"error": {message, type, param, code}} in the place of a problem."""

import orjson
from flask import Response, request

PREFIX = "/v1/"
_TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}


def in_their_words(response: Response) -> Response:
    """A problem below /v1 as OpenAI's envelope; everything else as it is."""
    if not request.path.startswith(PREFIX) or response.mimetype != "application/problem+json":
        return response
    problem = orjson.loads(response.get_data())
    faults = problem.get("errors") or []
    kind = _TYPES.get(response.status_code, "invalid_request_error" if response.status_code < 500 else "server_error")
    error = {
        "message": problem.get("detail") or problem["title"],
        "type": kind,
        "param": faults[0]["pointer"].removeprefix("#/").replace("/", ".") if faults else None,
        "code": problem["type"].rpartition(":")[2].replace("-", "_"),
    }
    response.set_data(orjson.dumps({"error": error}))
    response.content_type = "application/json"
    return response
