"""The tools that this worker can run: built-in, of the app's own modules, and registered at run time (external/).

The app's modules are those that PERDURE_TOOLS names, and the entry points of the group `perdure.tools`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.metadata import entry_points
from types import ModuleType

import execution_worker.tools
from services import database, logs, settings
from services.errors import Misconfigured
from services.pipeline import phases
from services.tools import catalogue
from services.tools.contract import Tool

GROUP = "perdure.tools"

log = logs.get(__name__)
_tools: dict[str, Tool] = {}
_instant: list[str] = []
_external: dict[str, Tool] = {}
_listed: list[object] = []


def load() -> None:
    """Remember all tools and list them in the catalogue. Called once, at start."""
    found = found_tools()
    _tools.clear()
    _tools.update({tool.name: tool for _, tool in found})
    _instant[:] = [tool.name for tool in _tools.values() if tool.instant]
    catalogue.register([(source, tool) for source, tool in found if _tools[tool.name] is tool])
    database.call("tools_came", list(_tools))
    _want_vectors()
    for source in dict.fromkeys(source for source, _ in found):
        names = sorted(tool.name for origin, tool in found if origin == source and _tools[tool.name] is tool)
        log.info("Tools are loaded", source=source, tools=names)


def found_tools() -> list[tuple[str, Tool]]:
    """All tools of the code that is here, as (source, tool): built-in ones first, the app's may replace them."""
    found = [("built-in", tool) for tool in _built_in()]
    for name in dict.fromkeys([*settings.current().tools, *(entry.value for entry in entry_points(group=GROUP))]):
        found += [(name, tool) for tool in _tools_in(_imported(name.partition(":")[0]))]
    return found


def take_up(found: list[tuple[str, Tool]]) -> None:
    """These (source, tool) pairs are what is registered at run time now. A built-in tool's name is not given away."""
    global _external, _listed
    mine = [(source, tool) for source, tool in found if tool.name not in _tools]
    _external = {tool.name: tool for _, tool in mine}
    listed: list[object] = [catalogue.listing(source, tool) for source, tool in mine]
    if listed != _listed:
        catalogue.register_external(mine)
        _listed = listed
        database.call("tools_came", sorted(_external))
        _want_vectors()
        log.info("Registered tools are taken up", tools=sorted(_external))


def _want_vectors() -> None:
    """Where a model will be told of some tools only, let there be vectors before anybody asks."""
    current = settings.current()
    if current.model_configured and len(_tools) + len(_external) > current.prompt_tools:
        phases.ring_embedding()


def find(name: str) -> Tool | None:
    """The tool of that name, or None when this worker has none."""
    return _tools.get(name) or _external.get(name)


def instant() -> list[str]:
    """The names of the tools that take less time than a message."""
    return _instant


def get(name: str) -> Tool:
    """The tool of that name, which this worker has."""
    return _tools.get(name) or _external[name]


def _built_in() -> Iterator[Tool]:
    for module in pkgutil.iter_modules(execution_worker.tools.__path__, "execution_worker.tools."):
        yield from _tools_in(importlib.import_module(module.name))


def _tools_in(module: ModuleType) -> list[Tool]:
    return [value for value in vars(module).values() if isinstance(value, Tool)]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Misconfigured(f"PERDURE_TOOLS names {name}, which can't be imported: {error}.") from error
