"""perdure replay, perdure test from-run: tell a run the same again, and keep that as a regression test."""

import time
from pathlib import Path
from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless

POLL_SECONDS = 0.1
_TEST = '''"""Run {source} is told again what it was told when it was recorded, and must do the same.

Needs a running Perdure (PERDURE_URL, or PORT). Written by `perdure test from-run`; do so anew when a change is meant.
"""

import json
from pathlib import Path

from gateway.command_line import door

RECORDING = Path(__file__).with_name("{recording}")


def test_run_{name}_does_what_it_did() -> None:
    with door.client(None, None) as client:
        report = client.replayed(json.loads(RECORDING.read_text()))

    assert report["equal"], report["first"]["detail"]
'''


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--live-from", metavar="STEP", help="Do this step and all that follows in earnest, with all effects.")
@click.option("--json", "as_json", is_flag=True, help="The whole report as JSON.")
@door.options
@click.pass_context
def replay(
    context: click.Context, run_id: str, live_from: str | None, as_json: bool, url: str | None, key: str | None
) -> None:
    """Tell the ended RUN again what models and tools told it, and say where it does something else (exit code 1)."""
    with door.client(url, key) as client:
        started = client.replay(run_id, live_from=live_from)["workflowId"]
        report = client.replay_report(started)
        while not report["ended"]:
            time.sleep(POLL_SECONDS)
            report = client.replay_report(started)
    click.echo(orjson.dumps(report, option=orjson.OPT_INDENT_2) if as_json else _told(report))
    context.exit(0 if report["equal"] or live_from else 1)


@click.group()
def test() -> None:
    """Regression tests from runs."""


@test.command("from-run")
@click.argument("run_id", metavar="RUN")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path("tests/replays"))
@door.options
def from_run(run_id: str, folder: Path, url: str | None, key: str | None) -> None:
    """Write a pytest file (and the recording beside it) that replays RUN and fails where it does something else."""
    with door.client(url, key) as client:
        recording = client.recording(run_id)
    name = recording["source"].replace("-", "")[-12:]
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"run_{name}.json"
    kept.write_bytes(orjson.dumps(recording, option=orjson.OPT_INDENT_2))
    written = folder / f"test_run_{name}.py"
    written.write_text(_TEST.format(source=recording["source"], recording=kept.name, name=name))
    click.echo(str(written))


def _told(report: dict[str, Any]) -> str:
    if report["equal"]:
        return f"The same, byte for byte: {report['digest']['got'][:16]} ({report['workflowId']})."
    lines = [f"First difference: {report['first']['detail']}"]
    lines += [f"  recorded: {_short(report['first']['expected'])}", f"  now:      {_short(report['first']['got'])}"]
    lines += [f"Then: {difference['detail']}" for difference in report["differences"][1:10]]
    return harmless("\n".join([*lines, f"The replay is run {report['workflowId']}."]))


def _short(value: Any) -> str:
    return orjson.dumps(value).decode()[:300]
