"""The guarded HTTP client against servers on loopback: rebinding, redirects, bombs, drips, caps, TLS names."""

import gzip
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from services import clock
from services.network import web
from services.network.refusals import AddressRefused, HostUnknown, NoReply, ReplyRefused, UrlRefused
from tests.environment import environment
from tests.loopback_site import LoopbackSite, page, redirect

SMALL = web.Limits(seconds=1.5, wire_bytes=100_000, body_bytes=200_000)


@pytest.fixture
def site() -> Iterator[LoopbackSite]:
    with LoopbackSite({"/": page("<p>Hello</p>")}) as running:
        with environment(PERDURE_ALLOW_HOSTS=f"127.0.0.1:{running.port}"):
            yield running


def drip(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b"x")
        request.wfile.flush()
        threading.Event().wait(0.1)


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    while True:
        request.wfile.write(b"x" * 65_536)


def test_an_admitted_server_is_fetched(site: LoopbackSite) -> None:
    reply = web.get(site.url())

    assert (reply.status, reply.body, reply.content_type, reply.charset) == (200, b"<p>Hello</p>", "text/html", "utf-8")


def test_without_an_entry_loopback_is_refused_before_any_byte_is_sent(site: LoopbackSite) -> None:
    with environment(PERDURE_ALLOW_HOSTS=None), pytest.raises(AddressRefused):
        web.get(site.url())

    assert site.requests == []


def test_a_redirect_to_a_refused_address_is_not_followed(site: LoopbackSite) -> None:
    site.pages["/out"] = redirect("http://169.254.169.254/latest/meta-data/")

    with pytest.raises(AddressRefused, match=r"169\.254\.169\.254"):
        web.get(site.url("/out"))


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://user:pw@127.0.0.1/", "//"])
def test_a_redirect_to_something_else_than_a_plain_web_url_is_not_followed(site: LoopbackSite, location: str) -> None:
    site.pages["/out"] = redirect(location)

    with pytest.raises((UrlRefused, ReplyRefused)):
        web.get(site.url("/out"))


def test_a_few_redirects_are_followed_and_the_final_url_told(site: LoopbackSite) -> None:
    site.pages["/1"] = redirect("/2")
    site.pages["/2"] = redirect(site.url("/"))

    assert web.get(site.url("/1")).url == site.url("/")


def test_redirects_in_a_circle_end(site: LoopbackSite) -> None:
    site.pages["/round"] = redirect("/round")

    with pytest.raises(ReplyRefused, match="redirects too often"):
        web.get(site.url("/round"))

    assert len(site.requests) == 6


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(site: LoopbackSite) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    first = web.get(site.url(host="flips.example"), resolver=lambda host, port: next(answers))
    with pytest.raises(AddressRefused, match=r"flips\.example"):
        web.get(site.url(host="flips.example"), resolver=lambda host, port: next(answers))

    assert first.status == 200
    assert len(site.requests) == 1


def test_the_vetted_address_is_connected_to_without_asking_again(site: LoopbackSite) -> None:
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    web.get(site.url(host="once.example"), resolver=resolver)

    assert asked == ["once.example"]
    assert site.requests[0][1]["host"] == f"once.example:{site.port}"


def test_proxies_of_the_environment_are_ignored(site: LoopbackSite) -> None:
    with environment(HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1", NO_PROXY=None, no_proxy=None):
        assert web.get(site.url()).status == 200


def test_a_gzip_bomb_stops_at_the_cap(site: LoopbackSite) -> None:
    site.pages["/bomb"] = page(gzip.compress(b"0" * 50_000_000), Content_Encoding="gzip")

    with pytest.raises(ReplyRefused, match=r"more than the 0\.2 MB"):
        web.get(site.url("/bomb"), limits=SMALL)


def test_an_endless_body_stops_at_the_cap(site: LoopbackSite) -> None:
    site.pages["/endless"] = endless

    with pytest.raises(ReplyRefused, match=r"more than the 0\.1 MB"):
        web.get(site.url("/endless"), limits=SMALL)


def test_a_slow_drip_ends_with_the_time(site: LoopbackSite) -> None:
    site.pages["/drip"] = drip
    begun = clock.monotonic()

    with pytest.raises(NoReply, match=r"within 1\.5 seconds"):
        web.get(site.url("/drip"), limits=SMALL)

    assert clock.monotonic() - begun < 3


def test_a_resolver_that_hangs_ends_with_the_time() -> None:
    def hang(host: str, port: int) -> list[str]:
        threading.Event().wait(5)
        return []

    with pytest.raises(NoReply, match="not resolved in time"):
        web.get("http://slow.example/", limits=web.Limits(seconds=0.3), resolver=hang)


def test_a_packing_that_was_not_asked_for_is_refused(site: LoopbackSite) -> None:
    site.pages["/br"] = page(b"\x00\x01", Content_Encoding="br")

    with pytest.raises(ReplyRefused, match="packed"):
        web.get(site.url("/br"))


def test_a_broken_packing_is_refused(site: LoopbackSite) -> None:
    site.pages["/gzip"] = page(b"this is no gzip", Content_Encoding="gzip")

    with pytest.raises(ReplyRefused, match="unpacked"):
        web.get(site.url("/gzip"))


def test_a_type_that_is_not_wanted_is_refused(site: LoopbackSite) -> None:
    site.pages["/film"] = page(b"...", content_type="video/mp4")

    with pytest.raises(ReplyRefused, match="video/mp4"):
        web.get(site.url("/film"), content_types=("text/", "+json"))


def test_a_server_that_is_not_there_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]

    with environment(PERDURE_ALLOW_HOSTS="127.0.0.1"), pytest.raises(NoReply, match="can't be reached"):
        web.get(f"http://127.0.0.1:{port}/")


def test_a_host_that_does_not_exist_is_said_so() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(HostUnknown, match=r"nowhere\.example"):
        web.get("http://nowhere.example/", resolver=unknown)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "example.com", "http://", "http://user:pw@example.com/", "http://[::1"]
)
def test_what_is_not_a_plain_web_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        web.get(url)


def test_tls_asks_for_the_host_by_name_though_it_connects_by_address() -> None:
    hello: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server, environment(PERDURE_ALLOW_HOSTS="127.0.0.1"):

        def accept() -> None:
            connection, _ = server.accept()
            with connection:
                hello.append(connection.recv(4096))

        listening = threading.Thread(target=accept, daemon=True)
        listening.start()
        with pytest.raises(NoReply):
            web.get(f"https://named.example:{server.getsockname()[1]}/", resolver=lambda host, port: ["127.0.0.1"])
        listening.join(5)

    assert b"named.example" in hello[0]
