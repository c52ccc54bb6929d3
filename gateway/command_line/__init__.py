"""The `perdure` command. One file a group of commands; errors are one line on standard error.

Exit codes: 0 done, 1 the run failed, 2 wrong usage or something that is needed does not answer.
"""

import sys

import click

from gateway.command_line import (
    approvals,
    audit,
    backup,
    dead_letters,
    delivery,
    deploy,
    doctor,
    external_tools,
    flow,
    health,
    hooks,
    keys,
    memory,
    migrate,
    reading,
    replaying,
    retention,
    running,
    schedules,
    secrets,
    spending,
    surgery,
    teams,
    up,
)
from services.errors import PerdureError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="perdure", message="%(version)s")
def perdure() -> None:
    """Durable agents: start runs, watch them, look after the stack."""


for command in (
    up.up,
    running.run,
    running.watch,
    running.cancel,
    reading.runs,
    reading.show,
    reading.tools,
    surgery.pause,
    surgery.resume,
    surgery.fork,
    surgery.retry,
    surgery.skip,
    surgery.override,
    surgery.rerun,
    surgery.resolve,
    surgery.doubts,
    surgery.why,
    surgery.diff,
    surgery.change_runs,
    approvals.approvals,
    approvals.policies,
    secrets.secrets,
    external_tools.mcp,
    external_tools.http_tools,
    dead_letters.dead_letters,
    delivery.publish,
    delivery.messages,
    delivery.queues,
    hooks.webhooks,
    hooks.triggers,
    doctor.doctor,
    health.health,
    backup.backup,
    backup.restore,
    flow.flow,
    schedules.schedules,
    spending.agents,
    spending.usage,
    teams.tree,
    replaying.replay,
    replaying.test,
    deploy.deploy_check,
    retention.gc,
    memory.memory,
    keys.keys,
    audit.audit,
    migrate.migrate,
):
    perdure.add_command(command)


def main() -> None:
    """The entry point: runs the command and turns every foreseen error into one line and an exit code."""
    try:
        code = perdure.main(prog_name="perdure", standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = 2
    except click.ClickException as error:
        code = _complain(error.format_message())
    except PerdureError as error:
        code = _complain(error.detail, [f"{fault.pointer}: {fault.detail}" for fault in error.errors])
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        code = 0  # whoever read our output (head, less) has had enough
    sys.exit(code if isinstance(code, int) else 0)


def _complain(sentence: str, details: list[str] | None = None) -> int:
    click.echo(f"perdure: {sentence}", err=True)
    for detail in details or []:
        if detail not in sentence:
            click.echo(f"  {detail}", err=True)
    return 2
