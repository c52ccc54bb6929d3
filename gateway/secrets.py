"""/api/secrets: keep, list and forget secrets. No reply ever shows a value."""

import re
from typing import Annotated

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Named, Page
from gateway.fields import Time
from services import clock
from services.errors import BadInput, FieldError, NotFound
from services.secrets import handles, vault
from services.secrets.vault import Secret

EXAMPLE = {"value": "s3cret-of-the-shop", "hosts": ["api.example.com"]}

blueprint = Blueprint("secrets", __name__)


class SecretRequest(bodies.Body):
    """value; hosts: patterns of the hosts that it may be sent to, like `api.example.com` or `*.example.com`."""

    value: Annotated[str, Field(min_length=vault.SHORTEST, max_length=10_000)]
    hosts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=253)]], Field(max_length=50, default_factory=list)
    ]


class ShownSecret(TypedDict):
    """A secret, without its value. handle: what stands for it in arguments and headers."""

    name: str
    handle: str
    hosts: list[str]
    createdAt: Time
    updatedAt: Time


@blueprint.get("/api/secrets")
@declare.operation(gives=Page[ShownSecret])
def listed() -> Response:
    """The names of the tenant's secrets, and where each may be sent."""
    return wire.reply(queries.all_of(vault.listed(_tenant()), _shown))


@blueprint.put("/api/secrets/<name>")
@declare.operation(takes=SecretRequest, gives=ShownSecret, example=EXAMPLE)
def put(name: str) -> Response:
    """Keep a secret under this name."""
    if not re.fullmatch(handles.NAME, name):
        detail = "must begin with a letter and hold letters, digits, dots, dashes and underscores, 64 at most."
        raise BadInput(f"The name of a secret {detail}", errors=[FieldError("#/name", detail)])
    asked, _ = bodies.read(SecretRequest)
    vault.put(_tenant(), name, asked.value, asked.hosts)
    return wire.reply(next(_shown(secret) for secret in vault.listed(_tenant()) if secret.name == name))


@blueprint.delete("/api/secrets/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Forget a secret."""
    if not re.fullmatch(handles.NAME, name):
        raise NotFound("There is no such secret.")
    vault.remove(_tenant(), name)
    return wire.reply({"name": name})


def _shown(secret: Secret) -> ShownSecret:
    return {
        "name": secret.name,
        "handle": f"{{{{secret:{secret.name}}}}}",
        "hosts": secret.hosts,
        "createdAt": clock.to_wire(secret.created_at),
        "updatedAt": clock.to_wire(secret.updated_at),
    }


def _tenant() -> str:
    return authentication.caller().tenant
