"""What a page says to a person: title, main text, links; and nothing that is hidden from people."""

import pytest

from execution_worker import page_reading
from services import clock

URL = "https://site.example/dir/page"


def read(html: str, limit: int = 1_000) -> page_reading.Reading:
    return page_reading.read_html(html, URL, limit=limit)


def test_blocks_are_lines_and_inline_elements_are_not() -> None:
    page = "<title> A  title </title><h1>Head</h1><p>one <b>two</b>\n three<br>four</p><ul><li>a</li><li>b</li></ul>"

    assert read(page).title == "A title"
    assert read(page).text == "Head\none two three\nfour\n- a\n- b"


def test_the_main_element_is_the_text_and_what_surrounds_it_is_not() -> None:
    page = f"<nav>Menu</nav><div>Banner</div><main><p>{'Story. ' * 40}</p></main><footer>Imprint</footer>"

    assert read(page).text == ("Story. " * 40).strip()


def test_a_page_of_many_articles_is_read_whole() -> None:
    page = "<nav>Menu</nav><article>First</article><article>Second</article>"

    assert read(page).text == "First\nSecond"


def test_a_page_that_is_all_navigation_is_read_anyway() -> None:
    assert read("<nav>Only menu</nav>").text == "Only menu"


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>obey</script>", "<style>obey</style>", "<!-- obey -->", "<template>obey</template>",
        "<noscript>obey</noscript>", "<p hidden>obey</p>", '<p aria-hidden="true">obey</p>',
        '<p style="display:none">obey</p>', '<p style="color:red; DISPLAY : none">obey</p>',
        '<p style="visibility: hidden"><b>obey</b></p>', '<p style="font-size:0">obey</p>',
        '<p style="font-size:0px;color:red">obey</p>', '<p style="opacity:0">obey</p>',
        '<p style="position:absolute;left:-9999px">obey</p>', "<svg><text>obey</text></svg>",
        "<p>" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey") + "</p>",
    ],
)  # fmt: skip
def test_hidden_text_is_left_out(hidden: str) -> None:
    assert read(f"<p>Before</p>{hidden}<p>After</p>").text == "Before\nAfter"


@pytest.mark.parametrize("style", ["opacity:0.5", "font-size:0.8em", "left:-1px", "display:block", "opacity: 1"])
def test_styles_that_hide_nothing_hide_nothing(style: str) -> None:
    assert read(f'<p style="{style}">Here</p>').text == "Here"


def test_zero_width_characters_are_dropped() -> None:
    assert read("<p>a\u200bb\u2060c\ufeff</p>").text == "abc"


def test_white_space_inside_pre_is_kept() -> None:
    assert read("<p>x</p><pre>def f():\n    return 1</pre>").text == "x\ndef f():\n    return 1"


def test_links_are_absolute_each_once_and_named() -> None:
    page = """<a href="a">A</a><a href="/b?x=1#part">B  b</a><a href="https://other.example/">O</a>
    <a href="a#top">again</a>
    <a href="javascript:alert(1)">no</a><a href="mailto:a@b.c">no</a><a href="">no</a><a>no</a>
    <a href="i"><img src=x alt="Picture"></a><a href="l" aria-label="Label"></a><a href="h" hidden>no</a>"""

    assert read(page).links == [
        {"text": "A", "url": "https://site.example/dir/a"},
        {"text": "B b", "url": "https://site.example/b?x=1"},
        {"text": "O", "url": "https://other.example/"},
        {"text": "Picture", "url": "https://site.example/dir/i"},
        {"text": "Label", "url": "https://site.example/dir/l"},
    ]


def test_links_heed_the_base_of_the_page() -> None:
    assert read('<base href="/root/"><a href="x">X</a>').links[0]["url"] == "https://site.example/root/x"


def test_links_are_at_most_two_hundred() -> None:
    assert len(read("".join(f'<a href="/{number}">{number}</a>' for number in range(500))).links) == 200


def test_text_is_cut_and_that_is_said() -> None:
    reading = read(f"<p>{'word ' * 1000}</p>", limit=100)

    assert (len(reading.text), reading.truncated) == (99, True)


def test_a_very_deep_page_is_read() -> None:
    assert read(f"{'<div>' * 5000}deep{'</div>' * 5000}").text == "deep"


@pytest.mark.parametrize(
    "monster",
    ["<div>" * 500_000, "<ul><li>" * 200_000, "</br>" * 500_000, f"<p {' '.join(f'a{n}=1' for n in range(200_000))}>"],
)
def test_a_page_made_to_hold_the_reader_is_cut_short(monster: str) -> None:
    begun = clock.monotonic()
    reading = read(f"<p>Before</p>{monster}after")

    assert clock.monotonic() - begun < 10
    assert (reading.text, reading.truncated) == ("Before", True)


def test_long_attributes_of_an_ordinary_page_are_no_monsters() -> None:
    page = f'<img src="data:image/png;base64,{"A/b+" * 50_000}" alt="a > b"><p class="{"c " * 5_000}">After</p>'

    assert read(page) == page_reading.Reading("", "After", False, [])


def test_an_empty_page_is_empty() -> None:
    assert read("") == page_reading.Reading("", "", False, [])


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("café".encode(), "utf-8", "café"),
        ("café".encode(), None, "café"),
        ("café".encode("latin-1"), None, "café"),
        ("“café”".encode("windows-1252"), "ISO-8859-1", "“café”"),
        ("кофе".encode("koi8-r"), "koi8-r", "кофе"),
        ("珈琲".encode("shift_jis"), "Shift_JIS", "珈琲"),
        (b"<meta charset='koi8-r'>" + "кофе".encode("koi8-r"), None, "<meta charset='koi8-r'>кофе"),
        ("café".encode("utf-16"), "utf-8", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", None, "café"),
        ("café".encode(), "no-such-charset", "café"),
        ("café".encode(), "hex", "café"),
        (b"bad \xff byte", "utf-8", "bad \ufffd byte"),
    ],
)
def test_bytes_become_text_whatever_their_charset(body: bytes, charset: str | None, text: str) -> None:
    assert page_reading.decoded(body, charset) == text
