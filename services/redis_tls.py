"""TLS to a `rediss://` server. Heroku's has a self-signed certificate, which can't be checked unless one knows it.

REDIS_CA_CERT names who signed it (a file, or the PEM text itself); then certificate and host name are checked. Without
it the line is encrypted, and whoever sits in the middle of it is not noticed.
"""

import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from services import logs, settings
from services.errors import Misconfigured

PEM = "-----BEGIN"

log = logs.get(__name__)


def options(url: str) -> dict[str, Any]:
    """What redis-py, and Celery's Redis transport and backend, are to be given besides this URL."""
    if not url.startswith("rediss://"):
        return {}
    trusted = settings.current().redis_ca_cert
    if trusted is None:
        _warn_once()
        return {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": _file(trusted)}


@cache
def _file(trusted: str) -> str:
    """The file that holds the certificate; a setting that is the PEM text itself is written into one."""
    if not trusted.lstrip().startswith(PEM):
        if not Path(trusted).is_file():
            raise Misconfigured(
                f"REDIS_CA_CERT names {trusted!r}, which is no file; set it to a file or to the PEM text."
            )
        return trusted
    with tempfile.NamedTemporaryFile("w", suffix=".pem", prefix="perdure-redis-ca-", delete=False) as file:
        file.write(trusted.replace("\\n", "\n"))
    return file.name


@cache
def _warn_once() -> None:
    log.warning("The certificate of Redis is not checked; set REDIS_CA_CERT to the one that signed it to check it")
