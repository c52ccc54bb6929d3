"""The tool fetch_page against a site on loopback."""

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from execution_worker.tools.fetch_page import fetch_page
from services.errors import Failed, Retryable
from services.network.refusals import AddressRefused, ReplyRefused
from tests.environment import environment
from tests.loopback_site import LoopbackSite, page, redirect

HTML = '<title>The news</title><nav><a href="/home">Home</a></nav><p>Snow is on its way.</p><a href="story">Story</a>'


@pytest.fixture
def site() -> Iterator[LoopbackSite]:
    with LoopbackSite({"/news/": page(HTML)}) as running, environment(PERDURE_ALLOW_HOSTS="127.0.0.1"):
        yield running


def fetch(url: str) -> dict[str, Any]:
    result: dict[str, Any] = fetch_page.function(url=url)
    return result


def test_a_page_is_read_as_title_text_and_links(site: LoopbackSite) -> None:
    assert fetch(site.url("/news/")) == {
        "url": site.url("/news/"),
        "status": 200,
        "title": "The news",
        "text": "Snow is on its way.\nStory",
        "links": [
            {"text": "Home", "url": site.url("/home")},
            {"text": "Story", "url": site.url("/news/story")},
        ],
        "contentType": "text/html",
        "truncated": False,
    }


def test_links_are_relative_to_where_redirects_lead(site: LoopbackSite) -> None:
    site.pages["/old"] = redirect("/news/")

    result = fetch(site.url("/old"))

    assert result["url"] == site.url("/news/")
    assert result["links"][1]["url"] == site.url("/news/story")


def test_a_packed_page_in_another_charset_is_read(site: LoopbackSite) -> None:
    raw = gzip.compress("<title>Кофе</title><p>кофе</p>".encode("koi8-r"))
    site.pages["/ru"] = page(raw, content_type="text/html; charset=koi8-r", Content_Encoding="gzip")

    result = fetch(site.url("/ru"))

    assert (result["title"], result["text"]) == ("Кофе", "кофе")


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("plain\n  text", "text/plain", "plain\n  text"),
        ('{"a": [1, 2]}', "application/json", '{"a": [1, 2]}'),
        ('{"a": 1}', "application/problem+json; charset=utf-8", '{"a": 1}'),
        ("a,b\n1,2", "text/csv", "a,b\n1,2"),
        ("<p>no type</p>", "", "no type"),
        ("no type", "", "no type"),
    ],
)
def test_text_and_json_are_read_too(site: LoopbackSite, body: str, content_type: str, text: str) -> None:
    site.pages["/file"] = page(body, content_type=content_type)

    result = fetch(site.url("/file"))

    assert (result["text"], result["links"], result["title"]) == (text, [], "")


def test_a_long_text_is_cut_and_that_is_said(site: LoopbackSite) -> None:
    site.pages["/long"] = page("x" * 50_000, content_type="text/plain")

    result = fetch(site.url("/long"))

    assert (len(result["text"]), result["truncated"]) == (20_000, True)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_page_that_is_not_there_fails_for_good(site: LoopbackSite, status: int) -> None:
    site.pages["/gone"] = page("sorry", status=status)

    with pytest.raises(Failed, match=f"answered {status}"):
        fetch(site.url("/gone"))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_passing_trouble_may_be_tried_again_when_the_site_says(site: LoopbackSite, status: int) -> None:
    site.pages["/busy"] = page("busy", status=status, Retry_After="17")

    with pytest.raises(Retryable, match=f"answered {status}") as problem:
        fetch(site.url("/busy"))

    assert problem.value.retry_after == 17


def test_a_picture_is_refused(site: LoopbackSite) -> None:
    site.pages["/cat"] = page(b"\x89PNG", content_type="image/png")

    with pytest.raises(ReplyRefused, match="image/png"):
        fetch(site.url("/cat"))


def test_the_machine_itself_is_out_of_reach_unless_admitted(site: LoopbackSite) -> None:
    with environment(PERDURE_ALLOW_HOSTS=None), pytest.raises(AddressRefused, match="PERDURE_ALLOW_HOSTS"):
        fetch(site.url("/news/"))

    assert site.requests == []
