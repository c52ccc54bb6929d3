"""Parts of the client: its calls about messages to URLs, webhooks and triggers."""

from typing import Any
from urllib.parse import quote

from gateway.client_parts import Calls


class DeliveryCalls(Calls):
    """/api/publish, /api/messages, /api/url-groups, /api/queues."""

    def publish(self, **fields: Any) -> dict[str, Any]:
        """Publish a message. fields: url or group, body, delay, retries, queue, … as on the wire."""
        return self._call("POST", "/api/publish", json=fields, attempts=1)

    def messages(self, **asked: Any) -> dict[str, Any]:
        """A page of messages, newest first, as {items, next}. asked: status, queue, group, label, limit, cursor, …"""
        return self._call("GET", "/api/messages", params={name: value for name, value in asked.items() if value})

    def message(self, message_id: str) -> dict[str, Any]:
        """One message with every attempt."""
        return self._call("GET", f"/api/messages/{quote(message_id)}")

    def change_message(self, message_id: str, verb: str) -> dict[str, Any]:
        """cancel, retry-now, redrive or discard a message; returns it."""
        return self._call("POST", f"/api/messages/{quote(message_id)}/{verb}", attempts=1)

    def change_messages(self, action: str, wanted: dict[str, Any], *, dry_run: bool) -> list[dict[str, Any]]:
        """The same for all that fit: {id, refused} of each."""
        body = {"action": action, "filter": wanted, "dryRun": dry_run}
        return self._call("POST", "/api/messages/bulk", json=body, attempts=1)["items"]

    def url_groups(self) -> list[dict[str, Any]]:
        """The URL groups by name."""
        return self._call("GET", "/api/url-groups")["items"]

    def put_url_group(self, name: str, endpoints: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a group, or give it other endpoints: [{url, headers, secret}]."""
        return self._call("PUT", f"/api/url-groups/{quote(name)}", json={"endpoints": endpoints})

    def queues(self) -> list[dict[str, Any]]:
        """The ordered queues with their depths."""
        return self._call("GET", "/api/queues")["items"]

    def put_queue(self, name: str, parallelism: int) -> dict[str, Any]:
        """Make a queue, or change how many of its messages are open at a time."""
        return self._call("PUT", f"/api/queues/{quote(name)}", json={"parallelism": parallelism})

    def pause_queue(self, name: str, *, paused: bool = True) -> dict[str, Any]:
        """Send nothing of it until it is resumed (paused=False)."""
        return self._call("POST", f"/api/queues/{quote(name)}/{'pause' if paused else 'resume'}", attempts=1)


class HookCalls(Calls):
    """/api/webhooks, /api/triggers."""

    def webhooks(self) -> list[dict[str, Any]]:
        """The webhook subscriptions."""
        return self._call("GET", "/api/webhooks")["items"]

    def add_webhook(self, url: str, **fields: Any) -> dict[str, Any]:
        """A new subscription with its secret. fields: events, labels, description, secret."""
        return self._call("POST", "/api/webhooks", json={"url": url, **fields}, attempts=1)

    def change_webhook(self, webhook_id: str, **fields: Any) -> dict[str, Any]:
        """Change a subscription: url, events, labels, description, paused."""
        return self._call("PATCH", f"/api/webhooks/{quote(webhook_id)}", json=fields)

    def rotate_webhook(self, webhook_id: str, keep_seconds: float) -> dict[str, Any]:
        """A new secret; the former one stays good for so long."""
        body = {"keepSeconds": keep_seconds}
        return self._call("POST", f"/api/webhooks/{quote(webhook_id)}/rotate-secret", json=body, attempts=1)

    def test_webhook(self, webhook_id: str) -> str:
        """Send a ping; returns its message's id."""
        return self._call("POST", f"/api/webhooks/{quote(webhook_id)}/test", attempts=1)["messageId"]

    def remove_webhook(self, webhook_id: str) -> None:
        """End a subscription."""
        self._call("DELETE", f"/api/webhooks/{quote(webhook_id)}", attempts=1)

    def triggers(self) -> list[dict[str, Any]]:
        """The triggers by name."""
        return self._call("GET", "/api/triggers")["items"]

    def add_trigger(self, name: str, start: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """A new trigger with its URL and secret. fields: mode, secret."""
        return self._call("POST", "/api/triggers", json={"name": name, "start": start, **fields}, attempts=1)

    def remove_trigger(self, name: str) -> None:
        """Forget a trigger."""
        self._call("DELETE", f"/api/triggers/{quote(name)}", attempts=1)
