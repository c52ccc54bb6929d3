"""Holds real replies against /openapi.json: status, content type and shape, with no field that it does not have."""

from typing import Any

import orjson
from flask import Flask, Response, request
from jsonschema import Draft202012Validator

from gateway import declare
from gateway.openapi import document, operations


class Contract:
    """The document of an app, its shapes closed: a field that a reply has and the document has not is an error."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._document = orjson.loads(orjson.dumps(document.of(app)))
        _close(self._document["components"]["schemas"])

    def check(self, response: Response) -> Response:
        """Raises AssertionError for a reply that is not as documented."""
        rule = request.url_rule
        view = self._app.view_functions.get(rule.endpoint) if rule else None
        if rule is None or rule.websocket or view is None or declare.of(view) is None:
            return response
        if response.status_code == 405 or request.method == "OPTIONS":
            return response  # of no operation
        operation = self._document["paths"][operations.address(rule)][request.method.lower()]
        replies = operation["responses"]
        assert str(response.status_code) in replies, f"{rule} answered {response.status_code}: {response.text[:300]}"
        reply = replies[str(response.status_code)]
        if "$ref" in reply:
            reply = self._document["components"]["responses"][reply["$ref"].rpartition("/")[2]]
        media = reply["content"].get(response.mimetype)
        assert media is not None, f"{rule} answered {response.mimetype}"
        if response.mimetype.endswith("json") and not response.is_streamed:
            schema = {**media["schema"], "components": self._document["components"]}
            Draft202012Validator(schema).validate(orjson.loads(response.get_data()))
        return response


def _close(schemas: dict[str, Any]) -> None:
    """Let no object that names its fields have others; what OpenAI's clients get may."""
    for name, schema in schemas.items():
        if "properties" in schema and name not in ("ShownResponse", "ChatCompletion"):
            schema.setdefault("additionalProperties", False)
