"""A web site on loopback for tests of what fetches: each path is a function that writes its own reply.

with LoopbackSite({"/": page("<p>Hello</p>")}) as site:
    fetch(site.url("/"))
"""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self

from tests.quiet_server import QuietServer

Handler = Callable[[BaseHTTPRequestHandler], None]


def page(
    body: str | bytes, *, status: int = 200, content_type: str = "text/html; charset=utf-8", **headers: str
) -> Handler:
    """A handler that sends this body; further headers by keyword, `_` for `-`."""
    raw = body.encode() if isinstance(body, str) else body

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        if content_type:
            request.send_header("Content-Type", content_type)
        request.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(raw)

    return send


def redirect(location: str) -> Handler:
    """A handler that redirects there."""
    return page("", status=302, Location=location)


class LoopbackSite:
    """Serves `pages` on 127.0.0.1 at a free port; `requests` lists (path, headers) as they came, `sent`
    (method, body)."""

    def __init__(self, pages: dict[str, Handler]) -> None:
        self.pages = pages
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent: list[tuple[str, bytes]] = []
        site = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                site.sent.append((self.command, self.rfile.read(int(self.headers.get("Content-Length") or 0))))
                try:
                    site.pages.get(self.path, page("Not here.", status=404))(self)
                except OSError:
                    self.close_connection = True  # The client hung up: that is what some tests are about.

            do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Request)
        self.port = self._server.server_address[1]

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """The address of a page."""
        return f"http://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
