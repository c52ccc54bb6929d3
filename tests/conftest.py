"""Fixtures that all tests share: real servers, started once a session in a folder that is thrown away."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services import settings
from services.pipeline import embedded_servers


@pytest.fixture(scope="session")
def servers() -> Iterator[embedded_servers.Addresses]:
    """Postgres (migrated) and Valkey; the environment of this process and of its children points at them."""
    import migrations

    home = Path(tempfile.mkdtemp(prefix="perdure-test-"))
    os.environ["PERDURE_HOME"] = str(home)
    for name in ("DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DYNO"):
        os.environ.pop(name, None)
    settings.current.cache_clear()
    with embedded_servers.running(home) as addresses:
        os.environ["DATABASE_URL"] = addresses.database_url
        os.environ["REDIS_URL"] = addresses.redis_url
        os.environ["PERDURE_EMBEDDED"] = "1"
        settings.current.cache_clear()
        migrations.upgrade()
        yield addresses
