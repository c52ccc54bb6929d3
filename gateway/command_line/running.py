"""perdure run, watch, cancel: start a run, look on, stop it."""

from pathlib import Path
from typing import Any

import click
import orjson

from gateway.client import Client
from gateway.command_line import door, following


@click.command()
@click.argument("request", required=False)
@click.option("--conversation", help="Continue this conversation.")
@click.option("--user", help="On whose behalf; memories belong to a user [default: default].")
@click.option(
    "--plan", "plan_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A plan (JSON)."
)
@click.option("--json", "as_json", is_flag=True, help="Print nothing but the finished run, as JSON.")
@door.options
@click.pass_context
def run(context: click.Context, request: str | None, plan_file: Path | None, as_json: bool, **options: Any) -> None:
    """Run REQUEST (or a plan from a file), show its steps live, print the answer.

    Exits 0 when the run succeeded and 1 when it did not.
    """
    if request is None and plan_file is None:
        raise click.UsageError("Say what you want, or give --plan FILE.")
    with door.client(options["url"], options["key"]) as client:
        plan = _plan(plan_file) if plan_file else None
        started = client.start(request, plan=plan, conversationId=options["conversation"], userId=options["user"])
        context.exit(_follow(client, started["workflowId"], as_json=as_json))


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--after", default=0, show_default=True, help="Skip events up to this number.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@door.options
@click.pass_context
def watch(context: click.Context, run_id: str, after: int, as_json: bool, url: str | None, key: str | None) -> None:
    """Follow RUN until it ends, from its first event or from --after on.

    Exits 0 when the run succeeded and 1 when it did not.
    """
    with door.client(url, key) as client:
        if as_json:
            name = ""
            for event in client.events(run_id, after):
                click.echo(orjson.dumps(event))
                name = event["name"]
            context.exit(0 if (name or client.get(run_id)["status"]).endswith("succeeded") else 1)
        view = following.to_the_end(client, run_id, after=after)
        if view.status == "queued":  # nothing came after `after`: the run had ended before
            view.status = client.get(run_id)["status"]
        context.exit(following.say_how_it_ended(view))


@click.command()
@click.argument("run_id", metavar="RUN")
@door.options
def cancel(run_id: str, url: str | None, key: str | None) -> None:
    """Ask RUN to stop. What has not started never will; what the run has so far is kept."""
    with door.client(url, key) as client:
        found = client.cancel(run_id)
    click.echo(f"{found['id']} is {'being cancelled' if not found['finishedAt'] else found['status']}")


def _follow(client: Client, run_id: str, *, as_json: bool) -> int:
    view = following.to_the_end(client, run_id, quiet=as_json)
    if as_json:
        click.echo(orjson.dumps(client.get(run_id), option=orjson.OPT_INDENT_2))
        return 0 if view.status == "succeeded" else 1
    return following.say_how_it_ended(view)


def _plan(file: Path) -> dict[str, Any]:
    try:
        plan = orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise click.UsageError(f"{file} is not valid JSON: {error}.") from error
    if isinstance(plan, list):
        return {"steps": plan}
    if not isinstance(plan, dict):
        raise click.UsageError(f"{file} must hold a plan: an object with `steps`.")
    return plan
