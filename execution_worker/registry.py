"""The tools that this worker can run: the built-in ones, and those of the app's modules named in PERDURE_TOOLS."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import execution_worker.tools
from services import database, logs, settings
from services.errors import Misconfigured
from services.tools import catalogue
from services.tools.contract import Tool

log = logs.get(__name__)
_tools: dict[str, Tool] = {}
_instant: list[str] = []


def load() -> None:
    """Import all tool modules, remember their tools and list them in the catalogue. Called once, at start."""
    found = [("built-in", tool) for tool in _built_in()]
    for name in settings.current().tools:
        found += [(name, tool) for tool in _tools_in(_imported(name))]
    _tools.clear()
    _tools.update({tool.name: tool for _, tool in found})
    _instant[:] = [tool.name for tool in _tools.values() if tool.instant]
    catalogue.register([(source, tool) for source, tool in found if _tools[tool.name] is tool])
    database.call("tools_came", list(_tools))
    log.info("Tools are loaded", tools=sorted(_tools))


def find(name: str) -> Tool | None:
    """The tool of that name, or None when this worker has none."""
    return _tools.get(name)


def instant() -> list[str]:
    """The names of the tools that take less time than a message."""
    return _instant


def get(name: str) -> Tool:
    """The tool of that name, which this worker has."""
    return _tools[name]


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
