"""How gunicorn serves the gateway: `gunicorn -c gateway/gunicorn.conf.py 'gateway.app:create_app()'`.

Threads: each stream holds one for as long as it lasts, so there is one for every stream and some for everybody else.
"""

import signal
import threading
from pathlib import Path

import orjson
from gunicorn import util

from gateway.streams import capacity, hub
from services import connection_budget, logs, settings
from services.metrics import families, story, tally
from services.tracing import export

_settings = settings.current()
_budget = connection_budget.check()
REQUEST_THREADS = 32

bind = f"{_settings.listen_on}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "gthread"
threads = _settings.max_streams + REQUEST_THREADS
worker_connections = threads + 1_000
timeout = 60
graceful_timeout = 20
keepalive = 75
max_requests = 0 if _settings.embedded else 20_000
max_requests_jitter = 2_000
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None
forwarded_allow_ips = "*" if settings.on_heroku() else "127.0.0.1,::1"
loglevel = "warning"


def on_starting(server):  # type: ignore[no-untyped-def]
    """Once, in the parent."""
    logs.configure("web")
    logs.get("gateway").info(str(_budget))


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """Logs, and streams that say goodbye at SIGTERM: gunicorn alone would let them hold the process for 20 s."""
    logs.configure("web")
    tally.shows(families.STREAM_CLIENTS, capacity.taken)
    tally.shows(families.STREAM_WAITING, hub.current().waiting)
    story.begin()
    export.begin("web")
    util.write_error = write_problem
    served_before = signal.getsignal(signal.SIGTERM)

    def drain_then_stop(number, frame):  # type: ignore[no-untyped-def]
        capacity.drain()
        # in a thread: this handler may have interrupted whoever holds a lock that waking takes
        threading.Thread(target=hub.current().wake_all, daemon=True).start()
        served_before(number, frame)

    signal.signal(signal.SIGTERM, drain_then_stop)


def worker_exit(server, worker):  # type: ignore[no-untyped-def]
    """The last counts of a process that ends in good order."""
    tally.stop()


def write_problem(connection, status, reason, detail):  # type: ignore[no-untyped-def]
    """What never reaches Flask (a malformed request line, headers without end) is answered as a problem too."""
    title = reason.replace("\n", " ")
    body = orjson.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail or f"{title}."})
    head = f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(connection, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
