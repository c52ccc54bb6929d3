"""The safe part of Markdown that answers are shown in: text becomes nodes, never markup."""

import pytest

from tests.acceptance.visits import OpenPage

pytest_plugins = ["tests.acceptance.browser"]
pytestmark = pytest.mark.browser

SHOWN = """
async (text) => {
  const { h, render } = await import("preact");
  const { Markdown } = await import("/static/markdown.mjs");
  const place = document.createElement("div");
  render(h(Markdown, { text }), place);
  return place.firstChild.innerHTML;
}
"""
LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer" title="{0}">{1}</a>'
CASES = {
    "plain": ("a < b & c", "<p>a &lt; b &amp; c</p>"),
    "two paragraphs": ("one\n\ntwo", "<p>one</p><p>two</p>"),
    "line break": ("one\ntwo", "<p>one<br>two</p>"),
    "emphasis": (
        "**b** *i* _j_ ~~s~~ `c`",
        "<p><strong>b</strong> <em>i</em> <em>j</em> <del>s</del> <code>c</code></p>",
    ),
    "snake case": ("current_time_now", "<p>current_time_now</p>"),
    "multiplication": ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
    "heading": ("## Title", '<p class="heading"><strong>Title</strong></p>'),
    "list": ("- a\n- b\n  - c", "<ul><li>a</li><li><p>b</p><ul><li>c</li></ul></li></ul>"),
    "numbers": ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
    "quote": ("> said", "<blockquote><p>said</p></blockquote>"),
    "code": ("```\n<b>\n```", '<pre tabindex="0" role="region" aria-label="Code"><code>&lt;b&gt;</code></pre>'),
    "link": ("[a](https://a.example/x)", f"<p>{LINK.format('https://a.example/x', 'a')}</p>"),
    "bare address": (
        "see https://a.example/b.",
        f"<p>see {LINK.format('https://a.example/b', 'https://a.example/b')}.</p>",
    ),
    "image": ("![a](https://a.example/x.png)", f"<p>{LINK.format('https://a.example/x.png', 'a')}</p>"),
    "script link": ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
    "data link": ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>"),
    "markup": ("<img src=x onerror=y>", "<p>&lt;img src=x onerror=y&gt;</p>"),
}


def test_markdown_is_shown_safely(open_page: OpenPage) -> None:
    page = open_page()

    shown = {name: page.evaluate(SHOWN, text) for name, (text, _) in CASES.items()}

    assert shown == {name: expected for name, (_, expected) in CASES.items()}


def test_hostile_repetition_is_shown_quickly(open_page: OpenPage) -> None:
    page = open_page()
    timed = f"async (text) => {{ const t = performance.now(); await ({SHOWN})(text); return performance.now() - t; }}"

    milliseconds = page.evaluate(timed, "*_`[(" * 4_000)

    assert milliseconds < 2_000
