"""Parts of the client: its connection, and its calls about memory and about what tools may do."""

import random
import time
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
import orjson

from services.errors import FieldError, PerdureError, Unavailable
from services.network import retry_after

ATTEMPTS = 4
AWAY = (502, 503, 504)
LONGEST_PAUSE = 30.0


class Refused(PerdureError):
    """The stack answered with a problem; `status` is its HTTP status."""

    title = "The stack refused"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        faults = [FieldError(fault["pointer"], fault["detail"]) for fault in problem.get("errors", [])]
        super().__init__(problem.get("detail") or problem.get("title") or f"It answered {status}.", errors=faults)
        self.status = status


class Calls:
    """The connection to one stack, which the parts of the client call through."""

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 35) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=self.url, headers=self._headers, timeout=timeout, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def _call(self, method: str, path: str, *, attempts: int = ATTEMPTS, **sent: Any) -> Any:
        return self._answer(method, path, attempts=attempts, **sent).json()

    def _answer(self, method: str, path: str, *, attempts: int = ATTEMPTS, **sent: Any) -> httpx2.Response:
        """The reply to a call. attempts: how often it may be sent; 1 for what must not happen twice.

        A stack that says 429 has done nothing, so that is always tried again; 502 to 504 and a broken connection only
        where the call may be sent twice. Waits as Retry-After says, else twice as long each time.
        """
        for attempt in count(1):
            try:
                answer = self._http.request(method, path, **sent)
            except (httpx2.TransportError, httpx2.InvalidURL) as error:
                if attempt == attempts or isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
                    raise Unavailable(
                        f"No Perdure answers at {self.url}: start one with `perdure up`, or set PORT or PERDURE_URL."
                    ) from error
                time.sleep(_pause(attempt))
                continue
            if attempt >= ATTEMPTS or not (answer.status_code == 429 or (attempts > 1 and answer.status_code in AWAY)):
                break
            time.sleep(_pause(attempt, retry_after.seconds(answer.headers)))
        if answer.is_error:
            raise Refused(answer.status_code, problem_of(answer.content))
        return answer


def _pause(attempt: int, asked: float | None = None) -> float:
    """Seconds to wait: as asked, else longer each time; a little by chance, so that not all come back at once."""
    return min(LONGEST_PAUSE, asked if asked is not None else 0.1 * 2**attempt) * random.uniform(1, 1.25)


class MemoryCalls(Calls):
    """/api/memory."""

    def remember(self, text: str, **fields: Any) -> dict[str, Any]:
        """Add a memory. fields: userId, conversationId, kind, at, metadata as on the wire."""
        return self._call("POST", "/api/memory", json={"text": text, **fields})

    def search_memory(self, query: str, **fields: Any) -> list[dict[str, Any]]:
        """Memories that fit `query`, best first. fields: userId, conversationId, k, asOf, explain, … as on the wire."""
        return self._call("POST", "/api/memory/search", json={"query": query, **fields})["items"]

    def memories(self, **asked: Any) -> dict[str, Any]:
        """A page of a user's memories as {items, next}. asked: userId, kind, all, limit, cursor."""
        return self._call("GET", "/api/memory", params={name: value for name, value in asked.items() if value})

    def memory(self, memory_id: str, about: str = "") -> dict[str, Any]:
        """One memory with its why; about: `/history` for what it superseded and what superseded it."""
        return self._call("GET", f"/api/memory/{quote(memory_id)}{about}")

    def change_memory(self, memory_id: str, verb: str, **fields: Any) -> dict[str, Any]:
        """supersede (text, at) a memory, or release it from quarantine."""
        body = {"json": fields} if fields else {}
        return self._call("POST", f"/api/memory/{quote(memory_id)}/{verb}", attempts=1, **body)

    def forget(self, *, memory_id: str | None = None, run_id: str | None = None) -> list[str]:
        """Delete a memory, or all that a run left; returns the ids of what went."""
        if memory_id is not None:
            return self._call("DELETE", f"/api/memory/{quote(memory_id)}", attempts=1)["forgotten"]
        return self._call("POST", "/api/memory/forget", attempts=1, json={"runId": run_id})["forgotten"]

    def export_memories(self, user: str | None) -> bytes:
        """Lines of JSON, one a memory, of a user or of everybody."""
        return self._answer("GET", "/api/memory/export", params={"userId": user} if user else {}).content

    def import_memories(self, lines: bytes) -> dict[str, Any]:
        """Take in the lines of an export; returns {imported, lines}."""
        return self._call("POST", "/api/memory/import", content=lines, headers={"Content-Type": "application/x-ndjson"})

    def reembed(self, model: str | None = None) -> dict[str, Any]:
        """Begin to move all memories to another embedding model."""
        return self._call("POST", "/api/memory/reembed", json={"model": model} if model else {})

    def embedding(self) -> list[dict[str, Any]]:
        """The embedding models with how many vectors each has and misses."""
        return self._call("GET", "/api/memory/embedding")["items"]


class HandsCalls(Calls):
    """/api/approvals, /api/policies, /api/secrets, /api/mcp-servers, /api/http-tools."""

    def approvals(self, **asked: Any) -> list[dict[str, Any]]:
        """What waits for a person. asked: status (open, …, all), workflowId, limit."""
        wanted = {name: value for name, value in asked.items() if value}
        return self._call("GET", "/api/approvals", params=wanted)["items"]

    def decide(self, approval_id: str, verb: str, **fields: Any) -> dict[str, Any]:
        """approve (arguments), reject (reason) or answer (answer) an approval; returns it."""
        return self._call("POST", f"/api/approvals/{approval_id}/{verb}", json=fields, attempts=1)

    def policies(self) -> list[dict[str, Any]]:
        """The rules of what tools may do, in their order."""
        return self._call("GET", "/api/policies")["items"]

    def add_policy(self, **fields: Any) -> dict[str, Any]:
        """A new rule. fields: decision, tool, agent, arguments, evenTainted, expires, position, note."""
        return self._call("POST", "/api/policies", json=fields, attempts=1)

    def remove_policy(self, policy_id: str) -> None:
        """Drop a rule."""
        self._call("DELETE", f"/api/policies/{policy_id}", attempts=1)

    def secrets(self) -> list[dict[str, Any]]:
        """The names of the secrets, and where each may be sent."""
        return self._call("GET", "/api/secrets")["items"]

    def set_secret(self, name: str, value: str, hosts: list[str]) -> dict[str, Any]:
        """Keep a secret that may be sent to these hosts."""
        return self._call("PUT", f"/api/secrets/{quote(name)}", json={"value": value, "hosts": hosts})

    def remove_secret(self, name: str) -> None:
        """Forget a secret."""
        self._call("DELETE", f"/api/secrets/{quote(name)}", attempts=1)

    def mcp_servers(self) -> list[dict[str, Any]]:
        """The MCP servers with their tools."""
        return self._call("GET", "/api/mcp-servers")["items"]

    def put_mcp_server(self, name: str, **fields: Any) -> dict[str, Any]:
        """Register or change an MCP server. fields: url or command, headers, env, timeout, maxBytes, permission."""
        return self._call("PUT", f"/api/mcp-servers/{quote(name)}", json=fields)

    def approve_mcp_tool(self, name: str, tool: str) -> dict[str, Any]:
        """Trust what a new or changed tool says of itself now."""
        return self._call("POST", f"/api/mcp-servers/{quote(name)}/tools/{quote(tool)}/approve", attempts=1)

    def remove_mcp_server(self, name: str) -> None:
        """Forget an MCP server."""
        self._call("DELETE", f"/api/mcp-servers/{quote(name)}", attempts=1)

    def http_tools(self) -> list[dict[str, Any]]:
        """The endpoints that are registered as tools."""
        return self._call("GET", "/api/http-tools")["items"]

    def put_http_tool(self, name: str, **fields: Any) -> dict[str, Any]:
        """Register or change an endpoint. fields: description, url, schema, secret, effect, … as on the wire."""
        return self._call("PUT", f"/api/http-tools/{quote(name)}", json=fields)

    def remove_http_tool(self, name: str) -> None:
        """Forget an endpoint."""
        self._call("DELETE", f"/api/http-tools/{quote(name)}", attempts=1)


def problem_of(body: bytes) -> dict[str, Any]:
    """The problem document in a reply; empty when there is none."""
    try:
        problem = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return problem if isinstance(problem, dict) else {}
