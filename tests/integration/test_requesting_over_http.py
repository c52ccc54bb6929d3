"""The tool http_request against servers on loopback, and what the guard refuses."""

import gzip
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from execution_worker.tools.fetch_page import fetch_page
from execution_worker.tools.http_request import http_request
from services import clock
from services.errors import Failed, Retryable
from services.network import web
from services.network.refusals import AddressRefused, NoReply, ReplyRefused, UrlRefused
from services.tools.contract import ToolContext, Unsure
from tests.environment import environment
from tests.loopback_site import LoopbackSite, page, redirect

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
CONTEXT = ToolContext("run", "step", 1, "default", "ada", "talk", "run:step", datetime.now(UTC))


@pytest.fixture
def site() -> Iterator[LoopbackSite]:
    with LoopbackSite({"/": page('{"ok": true}', content_type="application/json")}) as running:
        with environment(PERDURE_ALLOW_HOSTS=f"127.0.0.1:{running.port}"):
            yield running


def ask(url: str, context: ToolContext = CONTEXT, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = http_request.function(context, url=url, **arguments)
    return result


def test_json_is_sent_and_read_with_a_key_that_names_the_effect(site: LoopbackSite) -> None:
    reply = ask(site.url(), method="POST", data={"a": 1}, headers={"X-Mine": "yes"})

    assert (reply["status"], reply["json"], reply["body"]) == (200, {"ok": True}, '{"ok": true}')
    assert site.sent == [("POST", b'{"a":1}')]
    headers = site.requests[0][1]
    assert (headers["idempotency-key"], headers["x-mine"], headers["content-type"]) == (
        "run:step",
        "yes",
        "application/json",
    )


def test_a_status_that_says_no_is_a_result_with_its_body(site: LoopbackSite) -> None:
    site.pages["/no"] = page('{"why": "because"}', status=422, content_type="application/json")

    reply = ask(site.url("/no"), method="POST", data={})

    assert (reply["status"], reply["json"]) == (422, {"why": "because"})


@pytest.mark.parametrize(
    ("method", "status", "retried"), [("GET", 500, True), ("POST", 500, False), ("POST", 503, True)]
)
def test_only_what_can_do_no_harm_is_tried_again(site: LoopbackSite, method: str, status: int, retried: bool) -> None:
    site.pages["/busy"] = page("busy", status=status, Retry_After="3")

    if retried:
        with pytest.raises(Retryable) as problem:
            ask(site.url("/busy"), method=method)
        assert problem.value.retry_after == 3
    else:
        assert ask(site.url("/busy"), method=method)["status"] == status


def test_a_post_whose_reply_is_lost_is_in_doubt_and_one_that_was_never_sent_is_not(site: LoopbackSite) -> None:
    def hang_up(request: BaseHTTPRequestHandler) -> None:
        request.connection.shutdown(socket.SHUT_RDWR)

    site.pages["/gone"] = hang_up

    with pytest.raises(Unsure):
        ask(site.url("/gone"), method="POST")
    with pytest.raises(NoReply):
        ask(site.url("/gone"), method="GET")
    with environment(PERDURE_ALLOW_HOSTS="127.0.0.1"), pytest.raises(NoReply, match="can't be reached"):
        ask("http://127.0.0.1:1/", method="POST")


@pytest.mark.parametrize(
    ("arguments", "effect"),
    [({"method": "GET"}, "pure"), ({}, "pure"), ({"method": "PUT"}, "idempotent"), ({"method": "POST"}, "unsafe"),
     ({"method": "${s1.method}"}, "unsafe")],
)  # fmt: skip
def test_the_effect_depends_on_the_method(arguments: dict[str, Any], effect: str) -> None:
    assert http_request.effect_of(arguments) == effect


def test_a_redirect_elsewhere_does_not_get_the_headers(site: LoopbackSite) -> None:
    with LoopbackSite({"/": page("there")}) as other:
        with environment(PERDURE_ALLOW_HOSTS=f"127.0.0.1:{site.port},127.0.0.1:{other.port}"):
            site.pages["/away"] = redirect(other.url())
            site.pages["/here"] = redirect("/")
            ask(site.url("/away"), headers={"X-Key": "k", "Authorization": "Bearer k"})
            ask(site.url("/here"), headers={"X-Key": "k"})

        assert not {"x-key", "authorization"} & other.requests[0][1].keys()
        assert site.requests[-1][1]["x-key"] == "k"


def test_a_redirect_of_a_post_is_told_and_not_followed(site: LoopbackSite) -> None:
    site.pages["/away"] = page("", status=307, Location="/")

    assert ask(site.url("/away"), method="POST", body="x")["status"] == 307
    assert len(site.requests) == 1


def test_a_header_can_not_smuggle_another_one(site: LoopbackSite) -> None:
    with pytest.raises(Failed):
        http_request.values_of({"url": site.url(), "headers": {"X": "a\r\nY: b"}})


def refusing(fetch: Any, url: str) -> None:
    with environment(PERDURE_ALLOW_HOSTS=None), pytest.raises((AddressRefused, UrlRefused)):
        fetch(url)


@pytest.mark.parametrize("fetch", [lambda url: fetch_page.function(url=url), ask], ids=["fetch_page", "http_request"])
@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "100.64.0.1", "0.0.0.0",
     "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::7f00:1]", "192.88.99.1", "224.0.0.1"],
)  # fmt: skip
def test_addresses_inside_are_refused_by_both_network_tools(fetch: Any, host: str) -> None:
    refusing(fetch, f"http://{host}/")


@pytest.mark.parametrize("fetch", [lambda url: fetch_page.function(url=url), ask], ids=["fetch_page", "http_request"])
def test_a_redirect_to_the_metadata_service_is_refused(site: LoopbackSite, fetch: Any) -> None:
    site.pages["/out"] = redirect("http://169.254.169.254/latest/meta-data/")

    with pytest.raises(AddressRefused):
        fetch(site.url("/out"))


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(site: LoopbackSite) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    sending = web.Sending("POST", site.url(host="flips.example"))
    web.send(sending, resolver=lambda host, port: next(answers))

    with pytest.raises(AddressRefused):
        web.send(sending, resolver=lambda host, port: next(answers))
    assert len(site.requests) == 1


def test_a_bomb_and_a_slow_drip_are_cut_with_their_own_errors(site: LoopbackSite) -> None:
    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(50):
            request.wfile.write(b"x")
            request.wfile.flush()
            threading.Event().wait(0.1)

    site.pages |= {"/bomb": page(gzip.compress(b"0" * 20_000_000), Content_Encoding="gzip"), "/drip": drip}
    begun = clock.monotonic()

    with pytest.raises(ReplyRefused, match="more than"):
        ask(site.url("/bomb"))
    with pytest.raises(NoReply):
        web.send(web.Sending("GET", site.url("/drip")), limits=web.Limits(seconds=1))
    assert clock.monotonic() - begun < 5
