"""A researcher, a critic and a writer: `python docs/examples/researcher_critic_writer.py "Why do cats purr?"`."""

import sys
from typing import Any

from gateway.command_line import door

AGENTS: dict[str, dict[str, Any]] = {
    "researcher": {
        "description": "Finds out facts and says where they are from.",
        "instructions": "Find facts. Give each with its source. Say plainly what you could not find.",
        "tools": ["fetch_page", "search_memory", "think", "calculate"],
        "budget": {"tokens": 40_000},
    },
    "critic": {
        "description": "Finds what is doubtful, missing or wrong.",
        "instructions": "Judge what you are given. Name each doubtful claim and each gap; praise nothing.",
        "tools": ["think", "calculate"],
        "budget": {"tokens": 20_000},
    },
    "writer": {
        "description": "Writes clear prose.",
        "instructions": "Write one clear page of plain prose. Leave out what the critic found doubtful, or say it is.",
        "tools": ["think"],
        "budget": {"tokens": 20_000},
    },
}


def plan(topic: str) -> dict[str, Any]:
    """Two researchers at once, of whom the first good one is enough; then the critic; then the writer."""
    question = f"What is known about this? {topic}"
    research = {
        "agents": [{"agent": "researcher", "request": question}, {"agent": "researcher", "request": question}],
        "join": "first_valid",
        "valid": "length(answer) > `40`",
        "supervision": "restart",
        "restarts": 1,
        "timeout": 600,
    }
    findings = "${research.results[?status == 'succeeded'] | [0].answer}"
    return {
        "steps": [
            {"id": "research", "tool": "delegate", "arguments": research},
            {
                "id": "critique",
                "tool": "delegate",
                "arguments": {"agent": "critic", "request": f"Criticise these findings on “{topic}”:\n\n{findings}"},
            },
            {
                "id": "write",
                "tool": "delegate",
                "arguments": {
                    "agent": "writer",
                    "request": f"Write about “{topic}”.\n\nFindings:\n{findings}\n\nCriticism:\n${{critique.answer}}",
                },
            },
        ]
    }


def main() -> None:
    """Make the agents, start the run, print the page that the writer wrote."""
    with door.client(None, None) as client:
        for name, profile in AGENTS.items():
            client.put_agent(name, **profile)
        started = client.start(plan=plan(" ".join(sys.argv[1:]) or "Why are there leap seconds?"))
        for event in client.events(started["workflowId"]):
            if event["name"] in ("child.started", "child.ended"):
                print(event["name"], event["data"]["agent"], event["data"].get("status", ""), file=sys.stderr)
        print(client.get(started["workflowId"])["answer"])


if __name__ == "__main__":
    main()
