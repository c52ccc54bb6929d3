"""A language model that says what a script tells it to: a real HTTP server that speaks OpenAI's wire format.

    with ScriptedModel([plan({"steps": []}), text("Done.")]) as model:
        ...  # OPENAI_BASE_URL=model.base_url; afterwards look at model.requests

Replies are taken in this order: the first of `rules` whose pattern is found in the messages, then the queue, then
`otherwise`. As a process: `python -m tests.scripted_model --port 9000 --script replies.json`, where the file holds
`{"replies": [...], "rules": [{"match": "regular expression", "reply": {...}}], "otherwise": {...}, "formats": [...]}`
with replies written as the fields of `Reply` (and `"plan": {...}` for a text that is JSON).
"""

import argparse
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.quiet_server import QuietServer

EMBEDDING_SIZE = 64
ALL_FORMATS = ("json_schema", "json_object", "text")


@dataclass(frozen=True)
class Reply:
    """One answer of the model.

    text: what it says; streamed in `chunks` if given, else word by word. delay: seconds before each chunk (or before
    the whole). status, headers: of the HTTP reply; from 400 on `text` is the error's message. raw: these bytes instead
    of anything well formed. truncate: break off the stream after the last chunk. hang: seconds of silence first.
    """

    text: str = ""
    chunks: list[str] | None = None
    delay: float = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: str | None = None
    truncate: bool = False
    hang: float = 0
    code: str | None = None


def text(words: str, **more: Any) -> Reply:
    """The model says this."""
    return Reply(text=words, **more)


def plan(raw: Any, **more: Any) -> Reply:
    """The model says this as JSON."""
    return Reply(text=json.dumps(raw), **more)


def rate_limited(retry_after: float | None = None) -> Reply:
    """429, with a Retry-After if given."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return Reply(text="Rate limit reached", status=429, headers=headers, code="rate_limit_exceeded")


def failing(status: int = 500, message: str = "The server had an error", **more: Any) -> Reply:
    """An error of this status."""
    return Reply(text=message, status=status, **more)


@dataclass(frozen=True)
class Recorded:
    """A request as it came. headers have lower-case names."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def said(self) -> str:
        """All messages of the request as one text."""
        return "\n".join(str(message.get("content")) for message in self.body.get("messages", []))


Script = Iterable[Reply] | Callable[[Recorded], Reply]


class ScriptedModel:
    """The server, on 127.0.0.1. `script` is a queue of replies or a function of the request.

    formats: the kinds of response_format it takes; the others get a 400, at no cost to the queue.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        rules: Iterable[tuple[str, Reply]] = (),
        otherwise: Reply | None = None,
        formats: Iterable[str] = ALL_FORMATS,
        port: int = 0,
    ) -> None:
        self.requests: list[Recorded] = []
        self.formats = tuple(formats)
        self.stopped = threading.Event()
        self._answer = script if callable(script) else None
        self._queue = [] if callable(script) else list(script)
        self._rules = [(re.compile(pattern, re.DOTALL), reply) for pattern, reply in rules]
        self._otherwise = otherwise or failing(501, "The script of the scripted model has no reply left.")
        self._lock = threading.Lock()
        self._server = QuietServer(("127.0.0.1", port), _handler(self))
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://127.0.0.1:{self.port}/v1"

    @property
    def chats(self) -> list[Recorded]:
        """The requests for a completion."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def says(self, *replies: Reply) -> None:
        """From now on the model says these, whatever was left in the queue."""
        with self._lock:
            self._queue[:] = replies

    @contextmanager
    def answering(self, answer: Callable[[Recorded], Reply]) -> Iterator[None]:
        """What the model says for as long as the block lasts."""
        before, self._answer = self._answer, answer
        try:
            yield
        finally:
            self._answer = before

    def reply_to(self, request: Recorded) -> Reply:
        """The next reply of the script."""
        with self._lock:
            for pattern, reply in self._rules:
                if pattern.search(request.said):
                    return reply
            if self._answer:
                return self._answer(request)
            return self._queue.pop(0) if self._queue else self._otherwise

    def serve(self) -> None:
        """Serve until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            listed = [{"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}]
            _send_json(self, 200, {"object": "list", "data": listed})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
            request = Recorded(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            model.requests.append(request)
            try:
                if self.path.endswith("/embeddings"):
                    _send_json(self, 200, _embeddings(body))
                elif self.path.endswith("/chat/completions"):
                    _complete(self, model, request)
                else:
                    _send_error(self, failing(404, f"There is no {self.path}."))
            except OSError:
                self.close_connection = True  # The client gave up waiting: the hang did its work.

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _complete(handler: BaseHTTPRequestHandler, model: ScriptedModel, request: Recorded) -> None:
    wanted = (request.body.get("response_format") or {}).get("type", "text")
    if wanted not in model.formats:
        _send_error(handler, failing(400, f"response_format {wanted} is not supported"))
        return
    reply = model.reply_to(request)
    if model.stopped.wait(reply.hang):
        return
    if reply.raw is not None:
        _send(handler, reply.status, reply.raw.encode(), {"Content-Type": "application/json"} | reply.headers)
    elif reply.status >= 400:
        _send_error(handler, reply)
    elif request.body.get("stream"):
        _stream(handler, model, request, reply)
    else:
        model.stopped.wait(reply.delay)
        said = reply.text or "".join(reply.chunks or [])
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        frame = _frame(request, "chat.completion", [choice]) | {"usage": _usage(request, said)}
        _send_json(handler, 200, frame)


def _stream(handler: BaseHTTPRequestHandler, model: ScriptedModel, request: Recorded, reply: Reply) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.close_connection = True
    chunks = reply.chunks if reply.chunks is not None else re.findall(r"\S+\s*|\s+", reply.text)
    for chunk in chunks:
        model.stopped.wait(reply.delay)
        _send_frame(handler, _frame(request, "chat.completion.chunk", [_delta({"content": chunk}, None)]))
    if reply.truncate:
        return
    _send_frame(handler, _frame(request, "chat.completion.chunk", [_delta({}, "stop")]))
    if (request.body.get("stream_options") or {}).get("include_usage"):
        usage = {"usage": _usage(request, "".join(chunks))}
        _send_frame(handler, _frame(request, "chat.completion.chunk", []) | usage)
    handler.wfile.write(b"data: [DONE]\n\n")


def _delta(delta: dict[str, str], finished: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finished}


def _frame(request: Recorded, kind: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    model = request.body.get("model", "scripted")
    return {"id": "chatcmpl-scripted", "object": kind, "created": 0, "model": model, "choices": choices}


def _usage(request: Recorded, said: str) -> dict[str, int]:
    """Tokens counted as words, so that a test can say what they must be."""
    asked, answered = len(request.said.split()), len(said.split())
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _embeddings(body: dict[str, Any]) -> dict[str, Any]:
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    data = [{"object": "embedding", "index": index, "embedding": embedding(one)} for index, one in enumerate(texts)]
    tokens = sum(len(one.split()) for one in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body.get("model"), "data": data[::-1], "usage": usage}


def embedding(words: str) -> list[float]:
    """A vector in which texts that share words are near each other: hashed word counts, of length 1."""
    vector = [0.0] * EMBEDDING_SIZE
    for word in re.findall(r"\w+", words.lower()):
        vector[hashlib.sha256(word.encode()).digest()[0] % EMBEDDING_SIZE] += 1.0
    length = sum(value * value for value in vector) ** 0.5 or 1.0
    return [value / length for value in vector]


def _send_frame(handler: BaseHTTPRequestHandler, frame: dict[str, Any]) -> None:
    handler.wfile.write(b"data: " + json.dumps(frame).encode() + b"\n\n")
    handler.wfile.flush()


def _send_error(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    error = {"message": reply.text, "type": "scripted", "param": None, "code": reply.code}
    _send_json(handler, reply.status, {"error": error}, reply.headers)


def _send_json(
    handler: BaseHTTPRequestHandler, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    _send(handler, status, json.dumps(body).encode(), {"Content-Type": "application/json"} | (headers or {}))


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in (headers | {"Content-Length": str(len(body))}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def from_file(path: Path, port: int = 0) -> ScriptedModel:
    """The server that a script file describes."""
    script = json.loads(path.read_text())
    return ScriptedModel(
        [_reply(raw) for raw in script.get("replies", [])],
        rules=[(rule["match"], _reply(rule["reply"])) for rule in script.get("rules", [])],
        otherwise=_reply(script["otherwise"]) if "otherwise" in script else None,
        formats=script.get("formats", ALL_FORMATS),
        port=port,
    )


def _reply(raw: dict[str, Any]) -> Reply:
    fields = dict(raw)
    if "plan" in fields:
        fields["text"] = json.dumps(fields.pop("plan"))
    return Reply(**fields)


def main() -> None:
    """Serve a script file until the process is ended."""
    parser = argparse.ArgumentParser(description="A scripted model server.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--script", type=Path, required=True)
    arguments = parser.parse_args()
    from_file(arguments.script, arguments.port).serve()


if __name__ == "__main__":
    main()
