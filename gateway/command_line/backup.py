"""perdure backup and restore: the whole truth as one file. Work on the servers directly."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from services import settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write all runs, memories and secrets into FILE, while everything goes on.

    FILE also holds the key of the secrets where the servers are embedded: keep it as safe as those.
    """
    from services import backups

    with _postgres():
        made = backups.make(file)
    click.echo(f"{file}: {made.runs} runs, {made.live} of them live ({file.stat().st_size:,} bytes).")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--paused", is_flag=True, help="Pause all live runs, to look at them first.")
def restore(file: Path, paused: bool) -> None:
    """Put the backup FILE into the embedded Postgres, or into the empty database that DATABASE_URL names.

    Nothing may run meanwhile. What the embedded Postgres had is kept there under another name. What happened after the
    backup is forgotten: steps that have run since would run again (`--paused` lets you look).
    """
    from gateway.stack.supervisor import alone_in
    from services import backups

    current = settings.current()
    if current.database_url is not None and not current.embedded:
        restored = backups.restore(file, paused=paused)
    else:
        with alone_in(current.home), _postgres():
            restored = backups.restore(file, paused=paused)
    click.echo(f"{restored.runs} runs as of {restored.made_at}, {restored.live} of them live{' (paused)' * paused}.")


@contextmanager
def _postgres() -> Iterator[None]:
    """The database of the settings; the embedded one is started for the length of the block if it does not run."""
    from services.pipeline import embedded_servers

    if settings.current().database_url is not None:
        yield
        return
    with embedded_servers.running(settings.current().home, redis=False):
        settings.current.cache_clear()
        yield
