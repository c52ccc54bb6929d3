"""/api/session: sign in at the page with name and password, who is signed in, sign out. /api/tickets: for sockets."""

from typing import Annotated
from uuid import UUID

from flask import Blueprint, Response, g, request
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, wire
from gateway.fields import Time
from services import clock, tenants
from services.access import people, rate_limits, sign_ins, tickets
from services.access.api_keys import Limits
from services.errors import TooMany

TRIES_A_MINUTE = 10  # from one address

blueprint = Blueprint("sign_in", __name__)


class Credentials(bodies.Body):
    """Who signs in."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = people.FIRST
    password: Annotated[str, Field(min_length=1, max_length=1_000)]


class Session(TypedDict):
    """Who the caller is. person: who signed in; null for a key, and where no key is asked for."""

    signedIn: bool
    person: str | None
    tenant: str
    scopes: list[str]


class SignedOut(TypedDict):
    """That nobody is signed in any more."""

    signedIn: bool


class ShownTicket(TypedDict):
    """A ticket, good once, until then."""

    ticket: str
    expiresAt: Time


@blueprint.post("/api/session")
@declare.operation(takes=Credentials, gives={201: Session})
def begin() -> Response:
    """Sign in; the answer sets the cookie."""
    authentication.refuse_other_sites()
    asked, _ = bodies.read(Credentials)
    _slow_down()
    person = people.checked(asked.name, asked.password)
    token = sign_ins.begin(person)
    g.caller = authentication.of_sign_in(sign_ins.verify(token))
    tenants.enter(person.tenant)
    made = wire.reply(_shown(), status=201)
    made.set_cookie(
        authentication.COOKIE,
        token,
        max_age=int(sign_ins.LASTS.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return made


@blueprint.get("/api/session")
@declare.operation(gives=Session)
def show() -> Response:
    """Who the caller is, and what they may do."""
    return wire.reply(_shown())


@blueprint.delete("/api/session")
@declare.operation(gives=SignedOut)
def end() -> Response:
    """Sign out; the cookie stands for nobody from now on, and its streams end within five seconds."""
    signed_in = authentication.caller().sign_in
    if signed_in is not None:
        sign_ins.end(signed_in)
        authentication.forget()
    made = wire.reply({"signedIn": False})
    made.delete_cookie(authentication.COOKIE, httponly=True, samesite="Lax", secure=request.is_secure)
    return made


@blueprint.post("/api/tickets")
@declare.operation(gives={201: ShownTicket})
def issue() -> Response:
    """A ticket that opens one WebSocket (`?ticket=…`) within 30 seconds, as the caller."""
    caller = authentication.caller()
    key_id = UUID(caller.key_id) if caller.key_id else None
    ticket, expires_at = tickets.issue(caller.tenant, key_id=key_id, sign_in=caller.sign_in)
    return wire.reply({"ticket": ticket, "expiresAt": clock.to_wire(expires_at)}, status=201)


def _slow_down() -> None:
    """Guessing passwords takes time, for us and for whoever guesses."""
    for window in rate_limits.count(f"sign-in:{request.remote_addr}", Limits(per_minute=TRIES_A_MINUTE)):
        if window.exceeded:
            raise TooMany(f"Too many tries; try again in {window.resets_in} s.", retry_after=window.resets_in)


def _shown() -> Session:
    caller = authentication.caller()
    return {
        "signedIn": caller.sign_in is not None,
        "person": caller.person,
        "tenant": caller.tenant,
        "scopes": list(caller.scopes),
    }
