"""perdure doctor: checks database, queues and workers. Works on the servers directly: no gateway needs to run."""

import click
import orjson

MARKS = {"error": ("✗", "red"), "warning": ("!", "yellow"), "info": ("i", "cyan")}


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired.")
@click.option("--everything", is_flag=True, help="Check the events of all ended runs, not only of the last day's.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def doctor(context: click.Context, fix: bool, everything: bool, as_json: bool) -> None:
    """Check that every invariant holds, over the database, the queues and the workers.

    Exits 0 when all is well (or was mended) and 1 when something is left.
    """
    from services.pipeline import doctor as examination

    findings = examination.examine(fix=fix, everything=everything)
    left = [finding for finding in findings if finding.severity != "info" and not finding.repaired]
    if as_json:
        click.echo(orjson.dumps([vars(finding) for finding in findings], option=orjson.OPT_INDENT_2))
        context.exit(1 if left else 0)
    for finding in findings:
        mark, colour = ("✓", "green") if finding.repaired else MARKS[finding.severity]
        tail = " Mended." if finding.repaired else " (--fix mends it)" if finding.repairable else ""
        click.echo(
            f"{click.style(mark, fg=colour)} {finding.invariant}: {finding.subject}\n  {finding.explanation}{tail}"
        )
    if not left:
        click.echo("All is well.")
    context.exit(1 if left else 0)
