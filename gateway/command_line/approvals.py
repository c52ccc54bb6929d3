"""perdure approvals, policies: what waits for a person's word, and the rules that say what has to."""

from typing import Any

import click
import orjson

from gateway.command_line import door
from gateway.command_line.run_view import harmless
from gateway.command_line.surgery import Json


@click.group(invoke_without_command=True)
@click.pass_context
def approvals(context: click.Context) -> None:
    """List what waits for a person, and decide it."""
    if context.invoked_subcommand is None:
        context.invoke(listed)


@approvals.command("list")
@click.option("--status", default="open", show_default=True, help="open, approved, rejected, answered, … or all.")
@click.option("--run", "run_id", help="Only of this run.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@door.options
def listed(status: str, run_id: str | None, as_json: bool, url: str | None, key: str | None) -> None:
    """List approvals, oldest first."""
    with door.client(url, key) as client:
        items = client.approvals(status=status, workflowId=run_id)
    if as_json:
        click.echo(orjson.dumps(items, option=orjson.OPT_INDENT_2))
        return
    for item in items:
        if item["kind"] == "question":
            choices = item["question"].get("choices")
            what = f"asks: {item['question']['text']}" + (f" ({' / '.join(choices)})" if choices else "")
        else:
            what = f"{item['tool']} {orjson.dumps(item['arguments']).decode()}: {item['reason']}"
        click.echo(f"{item['id']}  {item['status']}  run {item['workflowId']} step {item['stepId']}  {harmless(what)}")
    if not items:
        click.echo("Nothing waits for a person." if status == "open" else "No approval fits.", err=True)


@approvals.command()
@click.argument("approval_id", metavar="APPROVAL")
@click.option("--arguments", type=Json(), help="Call with these arguments (JSON) instead.")
@door.options
def approve(approval_id: str, arguments: Any, url: str | None, key: str | None) -> None:
    """Let the call of APPROVAL happen."""
    fields = {} if arguments is None else {"arguments": arguments}
    _decide(approval_id, "approve", fields, url, key)


@approvals.command()
@click.argument("approval_id", metavar="APPROVAL")
@click.option("--reason", help="Why; the step fails with it.")
@door.options
def reject(approval_id: str, reason: str | None, url: str | None, key: str | None) -> None:
    """Refuse the call of APPROVAL."""
    _decide(approval_id, "reject", {"reason": reason} if reason else {}, url, key)


@approvals.command()
@click.argument("approval_id", metavar="APPROVAL")
@click.argument("text", metavar="ANSWER", required=False)
@click.option("--json", "value", type=Json(), help="An answer that is not a text, as JSON.")
@door.options
def answer(approval_id: str, text: str | None, value: Any, url: str | None, key: str | None) -> None:
    """Answer the question of APPROVAL."""
    if (text is None) == (value is None):
        raise click.UsageError("Give the answer as a text, or with --json.")
    _decide(approval_id, "answer", {"answer": value if text is None else text}, url, key)


@click.group(invoke_without_command=True)
@click.pass_context
def policies(context: click.Context) -> None:
    """Rules of what tools may do; the first that fits decides."""
    if context.invoked_subcommand is None:
        context.invoke(rules)


@policies.command("list")
@door.options
def rules(url: str | None, key: str | None) -> None:
    """List the rules in the order in which they are looked at."""
    with door.client(url, key) as client:
        for rule in client.policies():
            where = f" {orjson.dumps(rule['arguments']).decode()}" if rule["arguments"] else ""
            agent = f" for agent {rule['agent']}" if rule["agent"] else ""
            tainted = " even in tainted runs" if rule["evenTainted"] else ""
            line = f"{rule['position']:>6}  {rule['decision']:<5} {rule['tool']}{where}{agent}{tainted}"
            click.echo(f"{rule['id']}  {harmless(line)}")


@policies.command()
@click.argument("decision", type=click.Choice(["allow", "ask", "deny"]))
@click.argument("tool", default="*")
@click.option("--agent", help="Only runs of agents whose name fits.")
@click.option("--arguments", type=Json(), help='By name, a pattern or a JSON Schema: \'{"url": "https://x.org/*"}\'.')
@click.option("--even-tainted", is_flag=True, help="An allow also holds after content from outside entered the run.")
@click.option("--expires", type=float, help="Seconds that an approval stays open.")
@click.option("--position", type=int, help="Lower ones are looked at first [default: 100].")
@click.option("--note", help="Why the rule is there.")
@door.options
def add(decision: str, tool: str, url: str | None, key: str | None, **options: Any) -> None:
    """Add a rule: DECISION for calls of tools that fit TOOL (a pattern); prints its id."""
    named = {"even_tainted": "evenTainted"}
    fields = {named.get(name, name): value for name, value in options.items() if value}
    with door.client(url, key) as client:
        click.echo(client.add_policy(decision=decision, tool=tool, **fields)["id"])


@policies.command()
@click.argument("policy_id", metavar="POLICY")
@door.options
def remove(policy_id: str, url: str | None, key: str | None) -> None:
    """Drop a rule."""
    with door.client(url, key) as client:
        client.remove_policy(policy_id)


def _decide(approval_id: str, verb: str, fields: dict[str, Any], url: str | None, key: str | None) -> None:
    with door.client(url, key) as client:
        decided = client.decide(approval_id, verb, **fields)
    click.echo(f"{decided['id']} is {decided['status']}")
