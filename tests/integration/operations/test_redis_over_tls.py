"""`rediss://` with a self-signed certificate: encrypted at once, checked where REDIS_CA_CERT says what to trust."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from services import settings
from services.errors import Misconfigured
from services.journal import event_feed
from services.pipeline import celery_app
from tests import tls_server
from tests.environment import environment


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tls_server.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def url(servers: Any, trusted: Path) -> Iterator[str]:
    port = urlsplit(settings.current().redis).port
    assert port
    with tls_server.before(port, trusted) as tls_port:
        yield f"rediss://127.0.0.1:{tls_port}/0"


def test_our_own_client_accepts_a_certificate_that_nobody_signed(url: str) -> None:
    with environment(REDIS_URL=url, REDIS_CA_CERT=None):
        assert event_feed.connect(socket_timeout=2).ping()


@pytest.mark.parametrize("as_text", [False, True])
def test_a_known_certificate_is_checked(url: str, trusted: Path, as_text: bool) -> None:
    with environment(REDIS_URL=url, REDIS_CA_CERT=trusted.read_text() if as_text else str(trusted)):
        assert event_feed.connect(socket_timeout=2).ping()


def test_another_certificate_than_the_known_one_is_refused(url: str, tmp_path: Path) -> None:
    with (
        environment(REDIS_URL=url, REDIS_CA_CERT=str(tls_server.certificate(tmp_path))),
        pytest.raises(redis.ConnectionError, match="certificate verify failed"),
    ):
        event_feed.connect(socket_timeout=2).ping()


def test_a_file_that_is_not_there_is_named(url: str) -> None:
    with environment(REDIS_URL=url, REDIS_CA_CERT="/nowhere.pem"), pytest.raises(Misconfigured, match="REDIS_CA_CERT"):
        event_feed.connect(socket_timeout=2)


@pytest.mark.parametrize("checked", [False, True])
def test_broker_and_result_backend_speak_tls_too(url: str, trusted: Path, checked: bool) -> None:
    with environment(REDIS_URL=url, REDIS_CA_CERT=str(trusted) if checked else None):
        app = celery_app.create("tls test")
        queue = f"tls {checked}"
        app.send_task("nobody.takes_it", queue=queue)
        with app.connection_for_read() as connection:
            taken = connection.SimpleQueue(queue).get(timeout=2)
        app.backend.set("tls test", "kept")

        assert taken.headers["task"] == "nobody.takes_it"
        assert app.backend.get("tls test") == b"kept"
        taken.ack()
