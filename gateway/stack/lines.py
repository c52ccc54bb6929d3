"""What a stack consists of: the Procfile's lines, the environment they get, and whether all that can work at all."""

import os
import shlex
import shutil
import socket
import sys
from pathlib import Path

from honcho.environ import parse_procfile

from services import settings
from services.errors import Misconfigured

ROOT = Path(__file__).parents[2]
NOT_STARTED = "release"


def processes() -> dict[str, str]:
    """Name → command of every long-running line of the Procfile, in its order."""
    file = ROOT / "Procfile"
    if not file.exists():
        raise Misconfigured(f"There is no Procfile in {ROOT}; run this from a checkout of the project.")
    found = dict(parse_procfile(file.read_text()).processes)
    found.pop(NOT_STARTED, None)
    return found


def environment() -> dict[str, str]:
    """What every process of the stack gets: ours, with this Python's programs first and all places made absolute."""
    current = settings.current()
    ours = dict(os.environ)
    return {
        **ours,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), ours.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), ours.get("PYTHONPATH")])),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": ours.get("PYTHONWARNINGS", "ignore"),
        "PERDURE_HOME": str(current.home.absolute()),
        "PERDURE_LOG_FORMAT": ours.get("PERDURE_LOG_FORMAT", "text"),
        "PORT": str(current.port),
        "FLOWER_PORT": str(flower_port()),
    }


def flower_port() -> int:
    """FLOWER_PORT; when that is not set and its default is taken (by another stack), a free one that PORT leads to."""
    current = settings.current()
    if "flower_port" in current.model_fields_set:
        return current.flower_port
    near = [1024 + (current.port + offset - 1024) % 64_000 for offset in range(1_000, 1_020)]
    return next((port for port in [current.flower_port, *near] if is_free(port)), current.flower_port)


def check(commands: dict[str, str], given: dict[str, str]) -> None:
    """Raise Misconfigured for what would make a process fail at once: a taken port, a program that is not there.

    given: the environment that the processes will get.
    """
    for name in ("PORT", "FLOWER_PORT"):
        port = int(given[name])
        if not is_free(port):
            raise Misconfigured(f"Port {port} is taken by another program; set {name} to a free one.")
    for name, command in commands.items():
        program = next(word for word in shlex.split(command) if "=" not in word)
        if shutil.which(program, path=given["PATH"]) is None:
            raise Misconfigured(f"The program {program!r} (Procfile, {name}) is missing; run `make setup`.")


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
