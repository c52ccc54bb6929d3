"""The client's calls about who may call: keys, sign-ins, tickets, and the audit log."""

from typing import Any
from urllib.parse import quote

from gateway.client_parts import Calls


class AccessCalls(Calls):
    """/api/keys, /api/session, /api/tickets, /api/audit, /metrics."""

    def keys(self, **asked: Any) -> list[dict[str, Any]]:
        """The tenant's API keys, without their secrets."""
        return self._call("GET", "/api/keys", params=asked)["items"]

    def make_key(self, name: str, **fields: Any) -> dict[str, Any]:
        """A new key, with its secret. fields: scopes, expiresAt, perMinute, perDay."""
        return self._call("POST", "/api/keys", json={"name": name, **fields}, attempts=1)

    def rotate_key(self, key_id: str, **fields: Any) -> dict[str, Any]:
        """A key in the place of another, which works on for a while. fields: graceSeconds."""
        return self._call("POST", f"/api/keys/{quote(key_id)}/rotate", json=fields, attempts=1)

    def revoke_key(self, key_id: str) -> None:
        """End a key."""
        self._call("DELETE", f"/api/keys/{quote(key_id)}", attempts=1)

    def sign_in(self, name: str, password: str) -> dict[str, Any]:
        """Sign in as a person; the client keeps the cookie."""
        return self._call("POST", "/api/session", json={"name": name, "password": password}, attempts=1)

    def session(self) -> dict[str, Any]:
        """Who is signed in."""
        return self._call("GET", "/api/session")

    def sign_out(self) -> None:
        """End the session."""
        self._call("DELETE", "/api/session", attempts=1)

    def ticket(self) -> dict[str, Any]:
        """A ticket with which one WebSocket may be opened."""
        return self._call("POST", "/api/tickets", attempts=1)

    def audit(self, **asked: Any) -> dict[str, Any]:
        """A page of the log of writes."""
        return self._call("GET", "/api/audit", params=asked)

    def verify_audit(self) -> dict[str, Any]:
        """Whether the log of writes is as it was written."""
        return self._call("GET", "/api/audit/verify")
