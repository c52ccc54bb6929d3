"""/api/url-groups: names for several URLs, to publish to all of them."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field
from typing_extensions import TypedDict

from gateway import authentication, bodies, declare, queries, wire
from gateway.declare import Named, Page
from gateway.fields import Time
from gateway.publishing import Headers, Url
from services import clock
from services.delivery import publishing, url_groups
from services.delivery.url_groups import UrlGroup
from services.errors import BadInput, FieldError

blueprint = Blueprint("url_groups", __name__)


class Endpoint(bodies.Body):
    """A URL with headers and a secret of its own, if it needs other ones than the message."""

    url: Url
    headers: Headers = Field(default_factory=dict)
    secret: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Group(bodies.Body):
    """The endpoints of a group."""

    endpoints: Annotated[list[Endpoint], Field(min_length=1, max_length=100)]


class ShownGroup(TypedDict):
    """A group with its endpoints."""

    name: str
    endpoints: list[dict[str, Any]]
    createdAt: Time


@blueprint.get("/api/url-groups")
@declare.operation(gives=Page[ShownGroup])
def listed() -> Response:
    """All groups by name."""
    return wire.reply(queries.all_of(url_groups.listed(_tenant()), _shown))


@blueprint.get("/api/url-groups/<name>")
@declare.operation(gives=ShownGroup)
def show(name: str) -> Response:
    """One group."""
    return wire.reply(_shown(url_groups.get(_tenant(), name)))


@blueprint.put("/api/url-groups/<name>")
@declare.operation(takes=Group, gives=ShownGroup, example={"endpoints": [{"url": "https://a.example.com/in"}]})
def put(name: str) -> Response:
    """Make a group, or give it other endpoints."""
    asked, _ = bodies.read(Group)
    if len(name) > 200:
        raise BadInput("The name is too long; 200 characters are taken.", errors=[FieldError("name", "is too long.")])
    for place, each in enumerate(asked.endpoints):
        publishing.check_url(each.url, f"#/endpoints/{place}/url")
    return wire.reply(_shown(url_groups.put(_tenant(), name, [each.model_dump() for each in asked.endpoints])))


@blueprint.delete("/api/url-groups/<name>")
@declare.operation(gives=Named)
def remove(name: str) -> Response:
    """Forget a group; messages that were sent to it go on."""
    url_groups.remove(_tenant(), name)
    return wire.reply({"name": name})


def _shown(group: UrlGroup) -> ShownGroup:
    return {"name": group.name, "endpoints": group.endpoints, "createdAt": clock.to_wire(group.created_at)}


def _tenant() -> str:
    return authentication.caller().tenant
