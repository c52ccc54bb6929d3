"""perdure deploy-check: what the code here would break of the runs that live now."""

import subprocess
import sys

import click
import orjson

from gateway.command_line.run_view import harmless
from services import settings

MODULE = "execution_worker.deploy_check"  # by name, in a process of its own: the gateway imports no worker


@click.command("deploy-check")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
@click.option("--all", "everything", is_flag=True, help="What has changed and fits, too.")
@click.pass_context
def deploy_check(context: click.Context, as_json: bool, everything: bool) -> None:
    """List the live runs that this code's tools would break, before it is deployed (exit code 1 if there are any).

    Run it with the code that is to be deployed and the settings of the stack that runs (DATABASE_URL, PERDURE_TOOLS).
    """
    assert settings.current().database  # says which setting is missing
    found = subprocess.run([sys.executable, "-m", MODULE], capture_output=True, text=True, check=False)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise click.ClickException(f"The tools can't be loaded: {last}")
    findings = [orjson.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    breaks = [each for each in findings if each["severity"] == "breaks"]
    for each in findings if everything else breaks:
        told = f"{each['severity']}  {each['workflowId']} {each['stepId']}  {each['detail']}"
        click.echo(orjson.dumps(each).decode() if as_json else harmless(told))
    if not breaks and not as_json:
        click.echo("No live run would break.")
    context.exit(1 if breaks else 0)
