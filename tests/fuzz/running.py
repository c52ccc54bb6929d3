"""Runs schemathesis over a gateway that asks for keys: shortly in `make test`, for long by `make fuzz`.

python -m tests.fuzz.running --examples 100 --seed 1
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import uuid4

from services import settings
from services.access import api_keys
from services.access.scopes import OPERATE
from services.pipeline import embedded_servers
from tests import stack as stacks

HERE = Path(__file__).parent
PHASES = "examples,coverage,fuzzing,stateful"


def fuzz(
    url: str, *, seed: int, more: list[str], scopes: tuple[str, ...] = ("admin",)
) -> subprocess.CompletedProcess[str]:
    """schemathesis over the gateway at `url`, with a key of a new tenant; its exit code is 0 when nothing failed."""
    _, key = api_keys.create(f"fuzz-{uuid4()}", "fuzz", scopes=scopes)
    command = [
        *(f"{Path(sys.executable).parent}/st", "--config-file", str(HERE / "schemathesis.toml"), "run"),
        *(f"{url}/openapi.json", "--header", f"Authorization: Bearer {key}", "--checks", "all", "--seed", str(seed)),
        *more,
    ]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks"}
    with tempfile.TemporaryDirectory() as folder:  # where it keeps what failed before: every run is the first
        return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def main() -> int:
    """A stack of its own, then every phase over every route."""
    asked = argparse.ArgumentParser(description="Fuzz the API of a stack that is started for it.")
    asked.add_argument("--examples", type=int, default=50, help="cases a route and phase")
    asked.add_argument("--seed", type=int, default=1)
    given, more = asked.parse_known_args()
    home = Path(tempfile.mkdtemp(prefix="perdure-fuzz-"))
    os.environ["PERDURE_HOME"] = str(home)
    settings.current.cache_clear()
    with embedded_servers.running(home) as addresses:
        os.environ |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        os.environ |= {"PERDURE_EMBEDDED": "1", "PERDURE_AUTH": "required", "PERDURE_PUBLIC_URL": "http://127.0.0.1:9"}
        settings.current.cache_clear()
        stacks.run_once("release", {})
        with stacks.running(home, "web", *stacks.WORKERS) as stack:
            options = ["--phases", PHASES, "--max-examples", str(given.examples), *more]
            done = fuzz(stack.url, seed=given.seed, more=options, scopes=(OPERATE,))
            sys.stdout.write(done.stdout + done.stderr)
            failed = [line for line in stack.output(["web"]).splitlines() if "A request failed" in line]
            sys.stdout.write("\n".join(failed[-20:]) + "\n")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
