"""The tool fetch_page: read a web page, through the guarded client."""

from http import HTTPStatus
from typing import Any

from execution_worker import page_reading
from execution_worker.page_reading import Reading
from services.errors import Failed, Retryable
from services.network import retry_after, web
from services.network.web import Reply
from services.tools.contract import tool

MAX_TEXT = 20_000
_READABLE = ("text/", "application/json", "application/xhtml", "application/xml", "+json", "+xml")
_PASSING = {408, 425, 429}


@tool(
    effect="pure",
    timeout=30,
    untrusted=True,
    egress=("url",),
    capabilities=["web", "read page", "links", "title"],
    examples=[
        "Read https://example.com and tell me what it says",
        "What is the title of https://example.com/news?",
        "Which links are on example.com?",
    ],
)
def fetch_page(url: str) -> dict[str, Any]:
    """Read a public web page, text file or JSON document by its http or https URL.

    Returns {"url": after redirects, "status", "title", "text": the readable text (at most 20,000 characters),
    "links": [{"text", "url"}], "contentType", "truncated": whether the text was cut}.
    """
    reply = web.get(url, content_types=_READABLE)
    _complain(reply)
    reading = _read(reply)
    return {
        "url": reply.url,
        "status": reply.status,
        "title": reading.title,
        "text": reading.text,
        "links": reading.links,
        "contentType": reply.content_type,
        "truncated": reading.truncated,
    }


def _complain(reply: Reply) -> None:
    """Raise Retryable or Failed for a status that says there is no page."""
    if reply.status < 400:
        return
    known = {status.value: status.phrase for status in HTTPStatus}
    sentence = f"{reply.url} answered {reply.status} {known.get(reply.status, '')}".rstrip() + "."
    if reply.status >= 500 or reply.status in _PASSING:
        raise Retryable(sentence, retry_after=retry_after.seconds(reply.headers))
    raise Failed(sentence)


def _read(reply: Reply) -> Reading:
    text = page_reading.decoded(reply.body, reply.charset)
    if "html" in reply.content_type or (not reply.content_type and text.lstrip().startswith("<")):
        return page_reading.read_html(text, reply.url, limit=MAX_TEXT)
    if not reply.content_type and "\x00" in text[:1_000]:
        raise Failed(f"{reply.url} is neither text nor a page.")
    plain, truncated = page_reading.read_text(text, limit=MAX_TEXT)
    return Reading("", plain, truncated)
