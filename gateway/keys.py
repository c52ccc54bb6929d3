"""/api/keys: the tenant's API keys: list, make, rotate, revoke. For admins; nobody gives away more than they have."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Page
from gateway.fields import Id, Moment, Time
from services import clock
from services.access import api_keys
from services.access.api_keys import ApiKey, Limits
from services.errors import NotAllowed, NotFound

blueprint = Blueprint("keys", __name__)

Scope = Literal["read", "run", "approve", "admin", "operate"]
Amount = Annotated[int, Field(ge=1, le=1_000_000_000)]
LONGEST_GRACE = 30 * 86_400


def _run() -> list[Scope]:
    return ["run"]


class KeyRequest(bodies.Body):
    """A new key. scopes: read, run, approve, admin, operate. perMinute, perDay: how many requests it may make."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=5)] = Field(default_factory=_run)
    expires_at: Moment | None = None
    per_minute: Amount | None = None
    per_day: Amount | None = None


class ShownKey(TypedDict):
    """A key, without its secret. replaces: the key of which it is the rotation."""

    id: Id
    name: str
    prefix: str
    scopes: list[str]
    state: Literal["live", "expired", "revoked"]
    perMinute: int | None
    perDay: int | None
    replaces: Id | None
    createdAt: Time
    expiresAt: Time | None
    lastUsedAt: Time | None
    revokedAt: Time | None


class NewlyMadeKey(ShownKey):
    """A key with its secret, which is shown this once."""

    secret: str


class RotateRequest(bodies.Body):
    """graceSeconds: how long the old key still works beside the new one; a day when left out."""

    grace_seconds: Annotated[int, Field(ge=0, le=LONGEST_GRACE)] = 86_400


@blueprint.get("/api/keys")
@declare.operation(gives=Page[ShownKey])
def listed() -> Response:
    """All keys of the tenant, oldest first, with their state and last use; never their secrets."""
    return wire.reply(queries.all_of(api_keys.listed(_tenant()), _shown))


@blueprint.post("/api/keys")
@declare.operation(takes=KeyRequest, gives={201: NewlyMadeKey}, example={"name": "shop", "scopes": ["run"]})
def make() -> Response:
    """A new key; `secret` is in this answer and nowhere else."""
    asked, _ = bodies.read(KeyRequest)
    _must_have(asked.scopes)
    made = api_keys.create(
        _tenant(),
        asked.name,
        scopes=asked.scopes,
        expires_at=asked.expires_at,
        limits=Limits(asked.per_minute, asked.per_day),
    )
    return _with_secret(*made)


@blueprint.post("/api/keys/<key_id>/rotate")
@declare.operation(takes=RotateRequest, optional=True, gives={201: NewlyMadeKey})
def rotate(key_id: str) -> Response:
    """A new key like this one, which works on for the grace time."""
    asked = bodies.read_or_default(RotateRequest)
    old = _key(key_id)
    _must_have(old.scopes)
    return _with_secret(*api_keys.rotate(old, grace=timedelta(seconds=asked.grace_seconds)))


@blueprint.delete("/api/keys/<key_id>")
@declare.operation(gives=ShownKey)
def revoke(key_id: str) -> Response:
    """The key stops working within a second, and its streams end within five. Answers the key."""
    api_keys.revoke(_key(key_id))
    return wire.reply(_shown(_key(key_id)))


def _must_have(scopes: Sequence[str]) -> None:
    caller = authentication.caller()
    missing = [scope for scope in scopes if not caller.may(scope)]
    if missing:
        raise NotAllowed(f"Only who has the scope {missing[0]!r} may give it away.")


def _with_secret(key: ApiKey, secret: str) -> Response:
    made = wire.reply({**_shown(key), "secret": secret}, status=201)
    made.headers["Location"] = f"/api/keys/{key.id}"
    return made


def _shown(key: ApiKey) -> ShownKey:
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "state": key.state,
        "perMinute": key.per_minute,
        "perDay": key.per_day,
        "replaces": str(key.replaces) if key.replaces else None,
        "createdAt": clock.to_wire(key.created_at),
        "expiresAt": clock.to_wire(key.expires_at),
        "lastUsedAt": clock.to_wire(key.last_used_at),
        "revokedAt": clock.to_wire(key.revoked_at),
    }


def _key(key_id: str) -> ApiKey:
    try:
        return api_keys.get(_tenant(), UUID(key_id))
    except ValueError as error:
        raise NotFound(f"There is no key {key_id[:80]}.") from error


def _tenant() -> str:
    return authentication.caller().tenant
