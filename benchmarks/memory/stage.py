"""Where the memory benchmarks run: embedded servers in a folder of their own, and a gateway's HTTP API over them."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

import migrations
from services import settings
from services.memory import vectors
from services.pipeline import embedded_servers


class Api:
    """A client of one gateway."""

    def __init__(self, port: int) -> None:
        self._http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120, trust_env=False)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to a POST; raises when it is an error."""
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def ready(self) -> bool:
        """Whether the gateway answers."""
        try:
            return self._http.get("/healthz").status_code == 200
        except httpx2.TransportError:
            return False


@contextmanager
def database(home: Path) -> Iterator[None]:
    """Postgres and Valkey in `home`, migrated; this process talks to them."""
    os.environ["PERDURE_HOME"] = str(home)
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    settings.current.cache_clear()
    with embedded_servers.running(home) as addresses:
        os.environ |= {
            "DATABASE_URL": addresses.database_url,
            "REDIS_URL": addresses.redis_url,
            "PERDURE_EMBEDDED": "1",
        }
        settings.current.cache_clear()
        vectors.forget_active()
        migrations.upgrade()
        yield


@contextmanager
def stack(home: Path, *, words_only: bool = False) -> Iterator[Api]:
    """The same with a gateway. words_only: its embedder does not work, as when the weights can't be loaded."""
    with database(home), socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environment = {**os.environ, "PORT": str(port), "WEB_CONCURRENCY": "1", "PERDURE_MAX_BODY_BYTES": "16000000"}
        if words_only:  # an endpoint that nobody listens at
            environment |= {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "PERDURE_EMBEDDING_MODEL": "away"}
            os.environ["PERDURE_EMBEDDING_MODEL"] = "away"
            settings.current.cache_clear()
            vectors.active()
        command = [sys.executable, "-m", "gunicorn", "-c", "gateway/gunicorn.conf.py", "gateway.app:create_app()"]
        gateway = subprocess.Popen(command, env=environment)
        try:
            api = Api(port)
            while not api.ready():
                time.sleep(0.1)
            yield api
        finally:
            os.environ.pop("PERDURE_EMBEDDING_MODEL", None)
            gateway.terminate()
            gateway.wait()
