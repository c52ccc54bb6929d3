"""GET /api/system: what the page shows of this stack before anybody has signed in. Nothing secret."""

from importlib import metadata
from typing import Literal

from flask import Blueprint, Response
from typing_extensions import TypedDict

from gateway import declare, wire
from services import settings

blueprint = Blueprint("system", __name__)


def version() -> str:
    """The installed version of this package."""
    try:
        return metadata.version("perdure")
    except metadata.PackageNotFoundError:
        return "0+source"


class System(TypedDict):
    """What works here."""

    brain: Literal["model", "offline"]
    model: str | None
    authRequired: bool
    version: str


@blueprint.get("/api/system")
@declare.operation(gives=System)
def show() -> Response:
    """Which brain works here, whether a key is asked for, and the version."""
    current = settings.current()
    return wire.reply(
        {
            "brain": "model" if current.model_configured else "offline",
            "model": current.model if current.model_configured else None,
            "authRequired": current.auth_required,
            "version": version(),
        }
    )
