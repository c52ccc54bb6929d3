"""The tools that plans may call, as the catalogue had them a second ago at most."""

from gateway.brief_cache import BriefCache
from services.agents import agents, profiles
from services.errors import Unavailable
from services.tools import catalogue
from services.tools.catalogue import ListedTool

_cache: BriefCache[dict[str, ListedTool]] = BriefCache(seconds=1)


def current() -> dict[str, ListedTool]:
    """All known tools by name; empty while no execution worker has ever started on this database."""
    return _cache.get("tools", catalogue.listed)


def required() -> dict[str, ListedTool]:
    """All known tools. Raises Unavailable while there are none: then no plan can be checked."""
    tools = current()
    if not tools:
        _cache.clear()  # nothing may have been true a second ago and not now
        tools = current()
    if not tools:
        raise Unavailable("No execution worker has registered its tools yet; start one, then try again.")
    return tools


def allowed(tenant: str, agent: str | None) -> dict[str, ListedTool]:
    """Those that this agent may use; all of them for a name that is no agent. Raises as `required`."""
    profile = next((one for one in agents.listed(tenant) if one.name == agent), None) if agent else None
    if profile is None or profile.tools is None:
        return required()
    return {name: tool for name, tool in required().items() if profiles.fits(name, profile.tools)}
