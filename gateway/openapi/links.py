"""Where a reply leads: the ids in it are parameters of other routes. Tools that walk an API go along these."""

from typing import Any

# the shape of a reply: the parameter that its field is for
IDS = {
    "Accepted": ("runId", "/workflowId"),
    "Forked": ("runId", "/workflowId"),
    "StartedNow": ("runId", "/workflowId"),
    "ShownConversation": ("conversationId", "/id"),
    "ShownRule": ("policyId", "/id"),
    "Stored": ("memoryId", "/id"),
    "ShownSchedule": ("name", "/name"),
    "ShownAgent": ("name", "/name"),
    "ShownSecret": ("name", "/name"),
    "Limit": ("key", "/key"),
}
CHANGES = ("post", "put", "patch")


def linked(paths: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The paths with links in the replies of what makes or changes something, to the routes about that one thing."""
    for path, operations in paths.items():
        for method in set(operations) & set(CHANGES):
            for status, reply in operations[method]["responses"].items():
                found = _shape(reply) if status.startswith("2") else None
                if found in IDS:
                    reply["links"] = _links(paths, path, *IDS[found])
    return paths


def _shape(reply: dict[str, Any]) -> str | None:
    schema = reply.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).rpartition("/")[2] or None


def _links(paths: dict[str, dict[str, Any]], origin: str, parameter: str, pointer: str) -> dict[str, Any]:
    noun = "/api/runs" if parameter == "runId" else "/".join(origin.split("/")[:3])
    about = {noun + f"/{{{parameter}}}" + end for end in ("", "/events", "/why", "/cancel", "/messages", "/history")}
    return {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {parameter: f"$response.body#{pointer}"},
        }
        for path in sorted(about & paths.keys())
        for method, operation in paths[path].items()
        if method in ("get", "delete") or path.endswith("/cancel")
    }
