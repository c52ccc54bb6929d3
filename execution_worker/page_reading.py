"""What a person would read on a web page: its title, its main text and its links. Used by the tool fetch_page.

What is hidden from people (display: none, scripts, comments, invisible characters) is left out: it is where text meant
for models alone is put. The tree is walked without recursion, so depth costs nothing.
"""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from services.model import data_fence

MAX_ELEMENTS = 20_000
MAX_ATTRIBUTES = 1_000  # in one tag
MAX_LINKS = 200
MAX_LINK_TEXT = 200
MAX_URL = 2_000

_NEVER_SHOWN = re.compile(
    "script|style|noscript|template|svg|math|iframe|object|embed|canvas|audio|video|head|title|select|datalist"
)
_AROUND = frozenset({"nav", "footer", "aside"})  # What surrounds the main text of a page.
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|br|caption|d[dlt]|details|dialog|div|fieldset|figcaption|figure|footer|form"
    "|h[1-6r]|header|li|main|nav|[ou]l|p|pre|section|summary|table|tbody|tfoot|thead|tr"
)
_CELLS = frozenset({"td", "th"})
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(hidden|collapse)|opacity\s*:\s*0?\.?0+\s*(;|!|$)"
    r"|font-size\s*:\s*0?\.?0+[a-z%]*\s*(;|!|$)|(left|top|text-indent)\s*:\s*-\d{3,}",
    re.IGNORECASE,
)
_OPENING = re.compile(r"<(?:[a-zA-Z]|/[bBpP])")  # `</br>` and `</p>` open an element too when none is open.
_ATTRIBUTE = r"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""
_MONSTROUS_TAG = re.compile(rf"<[a-zA-Z][^\s/>]*+(?>{_ATTRIBUTE}){{{MAX_ATTRIBUTES}}}")
_META_CHARSET = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", re.IGNORECASE)
_BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Reading:
    """A page as read. links: {"text", "url"} with absolute URLs, each once, in the page's order."""

    title: str
    text: str
    truncated: bool
    links: list[dict[str, str]] = field(default_factory=list)


def read_html(html: str, url: str, *, limit: int) -> Reading:
    """Read a page that came from `url`; its text is cut to `limit` characters, a monstrous page where it gets so."""
    tree, cut = _parsed(html)
    title = _title(tree)
    if tree.body is None:
        return Reading(title, "", False)
    root, skipped = _main_part(tree.body)
    text, truncated = read_text(_text(root, skipped) or _text(tree.body, frozenset()), limit=limit)
    return Reading(title, text, truncated or cut, _links(tree, url))


def _parsed(html: str) -> tuple[LexborHTMLParser, bool]:
    """The parsed page, and whether its end was cut off.

    The parser takes quadratic time for nested elements and for the attributes of one tag: a million of either, in a
    page of 5 MB, would hold a worker for hours.
    """
    monster = _MONSTROUS_TAG.search(html)
    kept = html[: monster.start()] if monster else html
    surplus = next(islice(_OPENING.finditer(kept), MAX_ELEMENTS, None), None)
    kept = kept[: surplus.start()] if surplus else kept
    return LexborHTMLParser(kept), len(kept) < len(html)


def read_text(text: str, *, limit: int) -> tuple[str, bool]:
    """`text` without invisible characters, cut to `limit` characters, and whether it was cut."""
    seen = data_fence.visible(text).strip()
    return (seen[:limit].rstrip(), True) if len(seen) > limit else (seen, False)


def decoded(body: bytes, charset: str | None) -> str:
    """`body` as text: by its byte order mark, the header's charset, the page's meta tag, UTF-8, else Windows-1252.

    The order is that of the HTML standard's encoding sniffing (WHATWG HTML §13.2.3), without its guessing.
    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if body.startswith(mark):
            return body.decode(encoding, "replace")
    meta = _META_CHARSET.search(body[:4096])
    for named in (charset, meta[1].decode("ascii", "ignore") if meta else None):
        try:
            if named:
                return body.decode(_as_browsers_do(named), "replace")
        except (LookupError, UnicodeError, ValueError):
            continue
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("windows-1252", "replace")


def _as_browsers_do(charset: str) -> str:
    return "windows-1252" if charset.lower() in {"iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"} else charset


def _title(tree: LexborHTMLParser) -> str:
    for selector in ("head title", "h1"):
        node = tree.css_first(selector)
        title = _one_line(node.text(deep=True)) if node else ""
        if title:
            return title[:500]
    return ""


def _main_part(body: LexborNode) -> tuple[LexborNode, frozenset[str]]:
    """Where the main text is: the page's one main element or article if it has much of the text, else the body."""
    whole = len(body.text(deep=True))
    for selector in ('main, [role="main"]', "article"):
        found = body.css(selector)
        if len(found) == 1 and len(found[0].text(deep=True)) >= min(200, whole / 4):
            return found[0], _AROUND
    return body, _AROUND


def _text(root: LexborNode, skipped: frozenset[str]) -> str:
    """The text below `root` with a line for each block; white space as browsers show it, kept inside `pre`."""
    parts: list[str] = []
    in_pre = 0
    for node, entering in _walk(root, lambda inner: inner.tag in skipped):
        tag = node.tag or ""
        if node.is_text_node:
            raw = (node.text_content or "") if entering else ""
            parts.append(raw if in_pre else re.sub(r"\s+", " ", raw))
        elif _BLOCK.fullmatch(tag):
            in_pre += (1 if entering else -1) if tag == "pre" else 0
            parts.append("\n- " if tag == "li" and entering else "\n")
        elif tag in _CELLS and not entering:
            parts.append(" ")
    lines = (line.rstrip() for line in data_fence.visible("".join(parts)).split("\n"))
    kept = [line if line.startswith("  ") else line.strip() for line in lines]
    return "\n".join(line for line in kept if line.strip() not in {"", "-"})


def _links(tree: LexborHTMLParser, url: str) -> list[dict[str, str]]:
    base_tag = tree.css_first("base[href]")
    base = _joined(url, (base_tag.attributes.get("href") if base_tag else None) or "") or url
    found: dict[str, dict[str, str]] = {}
    assert tree.body is not None
    for node, entering in _walk(tree.body, lambda _: False):
        if entering and node.tag == "a" and node.attributes.get("href"):
            target = _joined(base, node.attributes["href"] or "")
            if target and target not in found:
                found[target] = {"text": _link_text(node), "url": target}
                if len(found) == MAX_LINKS:
                    break
    return list(found.values())


def _joined(base: str, target: str) -> str | None:
    """`target` as an absolute web URL without its fragment, or None if it is none."""
    try:
        url = urldefrag(urljoin(base, target.strip())).url
        return (
            url
            if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname and len(url) <= MAX_URL
            else None
        )
    except ValueError:
        return None


def _link_text(node: LexborNode) -> str:
    text = _one_line(node.text(deep=True))
    image = None if text else node.css_first("img[alt]")
    named = text or node.attributes.get("aria-label") or (image.attributes.get("alt") if image else "") or ""
    return _one_line(named)[:MAX_LINK_TEXT]


def _one_line(text: str) -> str:
    return " ".join(data_fence.visible(text).split())


def _walk(root: LexborNode, skip: Callable[[LexborNode], bool]) -> Iterator[tuple[LexborNode, bool]]:
    """Every shown node below `root`, on entering (True) and on leaving (False), without what `skip` says."""
    node: LexborNode | None = root.child
    while node is not None:
        shown = not _hidden(node) and not skip(node)
        if shown:
            yield node, True
            if node.child is not None:
                node = node.child
                continue
            yield node, False
        while node is not None and node.next is None:
            node = node.parent
            if node is None or node.mem_id == root.mem_id:
                return
            yield node, False
        node = node.next if node is not None else None


def _hidden(node: LexborNode) -> bool:
    if node.is_text_node:
        return False
    if not node.is_element_node or _NEVER_SHOWN.fullmatch(node.tag or ""):
        return True
    attributes = node.attributes
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return bool(_HIDING.search(attributes.get("style") or ""))
