"""perdure pause, resume, fork, retry, skip, override, rerun, resolve, doubts, why, diff, change-runs."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless


class Json(click.ParamType):
    """An option that holds JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value that the text stands for."""
        try:
            return orjson.loads(value) if isinstance(value, str) else value
        except orjson.JSONDecodeError as error:
            self.fail(f"{value!r} is not valid JSON: {error}.", param, ctx)


@click.command()
@click.argument("action", type=click.Choice(["cancel", "pause", "resume", "retry"]))
@click.option("--status", multiple=True, help="Only those of this status.")
@click.option("--label", "labels", multiple=True, metavar="NAME:VALUE", help="Only those with this label.")
@click.option("--agent", help="Only those of this agent.")
@click.option("--text", help="Only those with this in the request, the answer or the id.")
@click.option("--dry-run", is_flag=True, help="Only say which.")
@door.options
def change_runs(action: str, dry_run: bool, url: str | None, key: str | None, **asked: Any) -> None:
    """Cancel, pause, resume or retry all runs that fit; without a filter, all that it means something for."""
    labels = dict(label.partition(":")[::2] for label in asked.pop("labels"))
    wanted = {name: value for name, value in {**asked, "labels": labels}.items() if value}
    with door.client(url, key) as client:
        done = client.change_runs(action, wanted, dry_run=dry_run)
    for each in done["items"]:
        click.echo(f"{each['workflowId']}  {each['refused'] or each['continuesAs'] or each['status']}")
    more = "; there are more, say it again" if done["more"] else ""
    click.echo(f"{action}: {done['count']} runs{' (a dry run)' if dry_run else ''}{more}", err=True)


@click.command()
@click.argument("run_id", metavar="RUN")
@door.options
def pause(run_id: str, url: str | None, key: str | None) -> None:
    """Begin nothing more in RUN until it is resumed; steps at work may end."""
    with door.client(url, key) as client:
        click.echo(f"{run_id} is {client.pause(run_id)['status']}")


@click.command()
@click.argument("run_id", metavar="RUN")
@door.options
def resume(run_id: str, url: str | None, key: str | None) -> None:
    """Let a paused RUN go on."""
    with door.client(url, key) as client:
        click.echo(f"{run_id} is {client.resume(run_id)['status']}")


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--from", "from_step", metavar="STEP", help="Run this step and all that follows it anew.")
@click.option("--patches", type=Json(), help='By step: \'{"s2": {"arguments": {…}}}\', or tool, or output.')
@door.options
def fork(run_id: str, from_step: str | None, patches: Any, url: str | None, key: str | None) -> None:
    """Go on from the ended RUN in a new run that shares what RUN has finished; prints its id."""
    fields = {"fromStep": from_step, "patches": patches}
    with door.client(url, key) as client:
        click.echo(client.fork(run_id, **{name: value for name, value in fields.items() if value})["workflowId"])


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step_id", metavar="[STEP]", required=False)
@door.options
def retry(run_id: str, step_id: str | None, url: str | None, key: str | None) -> None:
    """Run the failed STEP of a live RUN again; without STEP, go on with an ended RUN from where it failed (a fork)."""
    with door.client(url, key) as client:
        if step_id is None:
            click.echo(client.fork(run_id)["workflowId"])
        else:
            _say(client.change_step(run_id, step_id, "retry"))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step_id", metavar="STEP")
@door.options
def skip(run_id: str, step_id: str, url: str | None, key: str | None) -> None:
    """Do without STEP: what only waits for it goes on, what needs its output is skipped too."""
    with door.client(url, key) as client:
        _say(client.change_step(run_id, step_id, "skip"))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step_id", metavar="STEP")
@click.argument("output", type=Json())
@door.options
def override(run_id: str, step_id: str, output: Any, url: str | None, key: str | None) -> None:
    """Take OUTPUT (JSON) as the result of STEP."""
    with door.client(url, key) as client:
        _say(client.change_step(run_id, step_id, "override", output=output))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step_id", metavar="STEP")
@click.argument("arguments", type=Json())
@door.options
def rerun(run_id: str, step_id: str, arguments: Any, url: str | None, key: str | None) -> None:
    """Run STEP with other ARGUMENTS (a JSON object)."""
    with door.client(url, key) as client:
        _say(client.change_step(run_id, step_id, "rerun", arguments=arguments))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.argument("step_id", metavar="STEP")
@click.option("--done", type=Json(), metavar="OUTPUT", help="It did happen, with this result (JSON).")
@click.option("--again", is_flag=True, help="It did not happen: run it again.")
@click.option("--skip", "leave", is_flag=True, help="Do without it.")
@door.options
@click.pass_context
def resolve(context: click.Context, run_id: str, step_id: str, done: Any, **options: Any) -> None:
    """Say what became of STEP, which is in doubt."""
    by_person = context.get_parameter_source("done") is not click.core.ParameterSource.DEFAULT
    if by_person + options["again"] + options["leave"] != 1:
        raise click.UsageError("Give one of --done OUTPUT, --again and --skip.")
    fields = {"as": "done", "output": done} if by_person else {"as": "again" if options["again"] else "skip"}
    with door.client(options["url"], options["key"]) as client:
        _say(client.change_step(run_id, step_id, "resolve", **fields))


@click.command()
@door.options
def doubts(url: str | None, key: str | None) -> None:
    """List the steps that wait for a person to say whether their effect happened."""
    with door.client(url, key) as client:
        items = client.doubts()
    for step in items:
        detail = harmless((step["error"] or {}).get("detail", ""))
        click.echo(f"{step['workflowId']}  {step['id']}  {step['tool']}  {detail}")
    if not items:
        click.echo("No step is in doubt.", err=True)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def why(run_id: str, as_json: bool, url: str | None, key: str | None) -> None:
    """Say the one thing that RUN waits on."""
    with door.client(url, key) as client:
        found = client.why(run_id)
    click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2) if as_json else harmless(found["sentence"]))


@click.command()
@click.argument("run_a", metavar="A")
@click.argument("run_b", metavar="B")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def diff(run_a: str, run_b: str, as_json: bool, url: str | None, key: str | None) -> None:
    """Say what is different between the runs A and B."""
    with door.client(url, key) as client:
        found = client.diff(run_a, run_b)
    if as_json:
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))
        return
    _say_changes("run", found["changes"])
    for step in found["steps"]:
        if step["in"] != "both":
            click.echo(f"{step['id']}: only in {step['in'].upper()}")
        _say_changes(step["id"], step["changes"])
    click.echo(f"the same: {', '.join(found['same']) or 'no step'}")


def _say(step: dict[str, Any]) -> None:
    click.echo(f"{step['id']} is {step['status']}")


def _say_changes(subject: str, changes: list[dict[str, Any]]) -> None:
    for change in changes:
        before, after = (harmless(orjson.dumps(change[side]).decode()) for side in ("a", "b"))
        click.echo(f"{subject}: {change['field']}\n  - {before}\n  + {after}")
