"""perdure health: whether the processes get on with their work. Works on the servers directly."""

import click


@click.command()
@click.argument("kinds", nargs=-1)
@click.option("--here", is_flag=True, help="Only the processes of this host: the liveness check of a container.")
@click.pass_context
def health(context: click.Context, kinds: tuple[str, ...], here: bool) -> None:
    """Check that processes make progress: planning, execution, reflection, scheduler (all, unless some are named).

    Exits 1 when one of a kind is missing, or lives but takes no work though there is some.
    """
    from services.pipeline import heartbeat, liveness

    unknown = [kind for kind in kinds if kind not in liveness.KINDS]
    if unknown:
        raise click.UsageError(f"{unknown[0]!r} is no kind of process; these are: {', '.join(liveness.KINDS)}.")
    faults = liveness.faults(list(kinds or liveness.KINDS), heartbeat.host() if here else None)
    for fault in faults:
        click.echo(fault)
    if not faults:
        click.echo("All is well.")
    context.exit(1 if faults else 0)
