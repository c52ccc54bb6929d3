"""A receiver of messages, as a process of its own: checks signatures with the library `standardwebhooks`, takes each
message id once, and writes down every request as a line of JSON. `python -m tests.receiver PORT LOG`

The first part of the path says how it behaves: ok, flaky (fails two of three), down (always 503), busy (429 with
Retry-After at first), hang, private (redirects there), gone, never (422), slow.
"""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.quiet_server import QuietServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
_tries: Counter[str] = Counter()
_taken: set[str] = set()
_writing = threading.Lock()


class Receiver:
    """The process, seen by a test."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log
        log.touch()
        self._process = subprocess.Popen([sys.executable, "-m", "tests.receiver", str(port), str(log)])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """Every request whose path ends so, in the order in which they came."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["path"].endswith(path)]

    def taken(self, path: str) -> list[Any]:
        """The bodies that were taken, each message id once, in their order."""
        return [line["body"] for line in self.requests(path) if line["taken"]]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name, how = self.headers.get("webhook-id", ""), self.path.split("/")[1]
        with _writing:
            _tries[name] += 1
            tries = _tries[name]
        status, headers = _answer(how, tries)
        with _writing:
            fresh = status == 200 and name not in _taken
            if fresh:
                _taken.add(name)
            line = {
                "path": self.path,
                "id": name,
                "at": time.time(),
                "status": status,
                "verified": _verified(body, dict(self.headers.items())),
                "taken": fresh,
                "headers": {key.lower(): value for key, value in self.headers.items()},
                "body": json.loads(body) if body[:1] in b'{["0123456789' else body.decode(),
            }
            with Path(sys.argv[2]).open("a") as log:
                log.write(json.dumps(line) + "\n")
        self._reply(status, headers)

    do_PUT = do_POST

    def _reply(self, status: int, headers: dict[str, str]) -> None:
        try:
            self.send_response(status)
            for key, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(b"ok")
        except OSError:
            self.close_connection = True  # the worker has given up, or is dead

    def log_message(self, format: str, *args: object) -> None:
        pass


def _answer(how: str, tries: int) -> tuple[int, dict[str, str]]:
    if how == "hang":
        time.sleep(30)
    if how == "slow":
        time.sleep(0.3)
    if how == "private":
        return 307, {"Location": "http://10.255.0.1/inside"}
    if how == "busy" and tries == 1:
        return 429, {"Retry-After": "2"}
    if how == "flaky" and tries % 3:
        return 500, {}
    return {"down": 503, "gone": 410, "never": 422}.get(how, 200), {}


def _verified(body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(SECRET).verify(body, {key.lower(): value for key, value in headers.items()})
    except WebhookVerificationError:
        return False
    return True


if __name__ == "__main__":
    QuietServer(("127.0.0.1", int(sys.argv[1])), _Request).serve_forever()
