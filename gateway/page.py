"""The page at /, the API's at /docs, and their files: a strict content security policy, inline code by nonce only."""

import gzip
import hashlib
import re
import secrets
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, request, send_from_directory

from gateway.brief_cache import BriefCache

STATIC = Path(__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
ABSENT = "The page is not part of this build. The API answers under /api."

_VERSION = re.compile("v[0-9a-f]{16}")
_versions: BriefCache[str] = BriefCache(seconds=2)

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
def index() -> Response:
    """The page itself, with a nonce of its own."""
    return _document("index.html")


@blueprint.get("/docs")
def docs() -> Response:
    """What /openapi.json says, for people."""
    return _document("docs/docs.html")


def _document(name: str) -> Response:
    file = STATIC / name
    if not file.exists():
        return Response(ABSENT, content_type="text/plain; charset=utf-8")
    nonce = secrets.token_urlsafe(16)
    text = file.read_text().replace("{{ nonce }}", nonce).replace('"/static/', f'"/static/{_version()}/')
    made = Response(text, content_type="text/html; charset=utf-8")
    made.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    made.headers["Cache-Control"] = "no-store"
    return made


@blueprint.get("/static/<path:name>")
def static(name: str) -> Response:
    """A file of the page. Under the present version browsers keep it for ever, else they ask again and get 304."""
    version, _, versioned = name.partition("/")
    lasting = version == _version()
    if _VERSION.fullmatch(version):
        name = versioned
    made = send_from_directory(STATIC, name, conditional=True)
    if name.endswith(".mjs"):
        made.headers["Content-Type"] = "text/javascript; charset=utf-8"
    made.headers["Cache-Control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
    made.headers["Vary"] = "Accept-Encoding"
    if made.status_code == 200 and request.accept_encodings["gzip"] > 0:
        file = STATIC / name
        made.direct_passthrough = False
        made.set_data(_compressed(file, file.stat().st_mtime_ns))
        made.headers["Content-Encoding"] = "gzip"
        made.set_etag(made.get_etag()[0] or name, weak=True)  # another body than the file's, byte by byte
    return made


def _version() -> str:
    """What all files of the page are at present, as one word; modules find each other under it by relative names."""
    return _versions.get(str(STATIC), _computed_version)


def _computed_version() -> str:
    files = sorted(file for file in STATIC.rglob("*") if file.is_file())
    content = hashlib.sha256()
    for file in files:
        content.update(file.name.encode() + file.read_bytes())
    return f"v{content.hexdigest()[:16]}"


@lru_cache(maxsize=200)
def _compressed(file: Path, _changed: int) -> bytes:
    return gzip.compress(file.read_bytes(), mtime=0)


@blueprint.get("/favicon.ico")
def favicon() -> Response:
    """Browsers ask for it whatever the page says."""
    return static("favicon.svg")
