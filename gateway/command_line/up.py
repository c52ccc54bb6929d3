"""perdure up: a whole stack in one command, and, when asked, one real request through it."""

import signal
import sys
import threading
import time
from types import FrameType

import click
from sqlalchemy.exc import OperationalError

from gateway.client import Client
from gateway.command_line import following
from gateway.command_line.run_view import RunView
from gateway.stack.supervisor import Supervisor, alone_in
from services import connection_budget, settings
from services.errors import Misconfigured, PerdureError, Unavailable

DEFAULT_REQUEST = "What is 17% of 2340, and what time is it in Tokyo?"
READY_SECONDS = 120
TICK = 0.1


class _Signals:
    """Ctrl-C and SIGTERM ask to stop; the handler only counts, so that it never meets a lock."""

    def __init__(self) -> None:
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.count += 1


@click.command()
@click.option("--once", is_flag=True, help="Run one request, stop everything, exit 0 if it succeeded and 1 if not.")
@click.option("--request", help=f"Run this request once all is up [with --once: “{DEFAULT_REQUEST}”].")
@click.option("--verbose", is_flag=True, help="Show every log line, not just warnings.")
@click.pass_context
def up(context: click.Context, once: bool, request: str | None, verbose: bool) -> None:
    """Start a whole stack here and keep it running until Ctrl-C.

    Postgres and Redis are embedded unless DATABASE_URL and REDIS_URL are set. Logs are in PERDURE_HOME/logs.
    """
    signals = _Signals()
    home = settings.current().home.absolute()
    with alone_in(home):
        supervisor = Supervisor(_say, verbose=verbose)
        supervisor.check()
        try:
            _bring_up(supervisor, signals)
            code = _serve(supervisor, signals, request or (DEFAULT_REQUEST if once else None), once=once)
        finally:
            _take_down(supervisor, signals)
    context.exit(code)


def _bring_up(supervisor: Supervisor, signals: _Signals) -> None:
    click.echo(f"Starting a stack in {supervisor.home}")
    supervisor.start_servers()
    click.echo(f"Brain: {_brain()}")
    click.echo(connection_budget.check())
    click.echo("Migrating the database")
    _migrate()
    supervisor.start_processes()
    client = Client(_address(), timeout=3)
    give_up = time.monotonic() + READY_SECONDS
    shown: list[str] = []
    while not signals.count:
        supervisor.tend()
        if hopeless := supervisor.hopeless():
            raise Misconfigured(hopeless)
        missing = _missing(client)
        if not missing:
            return
        if missing != shown:
            click.echo(f"Waiting: {' '.join(missing)}")
            shown = missing
        if time.monotonic() > give_up:
            raise Unavailable(f"Not ready after {READY_SECONDS} s: {' '.join(missing)} Logs: {supervisor.logs}")
        time.sleep(TICK)


def _brain() -> str:
    current = settings.current()
    if current.model_configured:
        return f"{current.model} at {current.openai_base_url or 'api.openai.com'}"
    unused = f"; PERDURE_MODEL={current.model} has no effect" if "model" in current.model_fields_set else ""
    return f"offline, since no model key is set{unused}. Set OPENAI_API_KEY or OPENAI_BASE_URL to use a model."


def _migrate() -> None:
    import migrations

    try:
        migrations.upgrade()
    except OperationalError as error:
        raise Unavailable("Postgres does not answer; check DATABASE_URL and that the server runs.") from error


def _missing(client: Client) -> list[str]:
    try:
        return client.missing()
    except Unavailable:
        return ["The gateway does not answer yet."]


def _serve(supervisor: Supervisor, signals: _Signals, request: str | None, *, once: bool) -> int:
    """Run the request while tending the processes, then (unless `once`) tend them until asked to stop."""
    code = 130 if signals.count else 0
    if request and not signals.count:
        code = _run(supervisor, signals, request)
    if once or signals.count:
        return code
    click.echo(
        f"\nPage    {_address()}/\nFlower  http://127.0.0.1:{supervisor.flower_port}/\nLogs    {supervisor.logs}"
    )
    click.echo("Ready. Ctrl-C stops everything.")
    while not signals.count:
        supervisor.tend()
        time.sleep(TICK)
    return 0


def _run(supervisor: Supervisor, signals: _Signals, request: str) -> int:
    """The request in a thread: this one has processes to tend. Returns its exit code."""
    click.echo(f"\n> {request}")
    views: list[RunView] = []
    failures: list[PerdureError] = []

    def follow() -> None:
        try:
            with Client(_address(), _key()) as client:
                views.append(following.to_the_end(client, client.start(request)["workflowId"]))
        except PerdureError as error:
            failures.append(error)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    while thread.is_alive() and not signals.count:
        supervisor.tend()
        thread.join(TICK)
    if failures:
        raise failures[0]
    return following.say_how_it_ended(views[0]) if views else 130


def _key() -> str | None:
    """A key for our own request where keys are asked for: PERDURE_API_KEY, or one that lives an hour."""
    from datetime import timedelta

    from services import clock
    from services.access import api_keys

    current = settings.current()
    if current.api_key or not current.auth_required:
        return current.api_key.get_secret_value() if current.api_key else None
    return api_keys.create("default", "perdure up", expires_at=clock.now() + timedelta(hours=1))[1]


def _take_down(supervisor: Supervisor, signals: _Signals) -> None:
    click.echo("Stopping")
    asked = signals.count
    stopping = threading.Thread(target=supervisor.stop, daemon=True)
    stopping.start()
    while stopping.is_alive():
        stopping.join(TICK)
        if signals.count > max(asked, 1):
            click.echo("Stopping at once")
            supervisor.hurry()
    click.echo("Stopped")


def _address() -> str:
    return f"http://127.0.0.1:{settings.current().port}"


def _say(name: str, text: str) -> None:
    """One line about, or of, a process."""
    click.echo(f"{click.style(f'{name:<11}', fg='cyan')} {text}", err=not sys.stdout.isatty())
