"""The page's own modules: small, explained, light, and free of what its security policy forbids.

Those beside index.html are loaded at once; those in places/ and editing/, and what draws plans, when they are first
needed; those in docs/ by /docs.
"""

import gzip
import re
from pathlib import Path

STATIC = Path(__file__).parents[2] / "gateway" / "static"
INDEX = (STATIC / "index.html").read_text()
FIRST = sorted(STATIC.glob("*.mjs"))
LATER = [path for folder in ("places", "editing", "docs") for path in sorted((STATIC / folder).glob("*.mjs"))]
OWN = [*FIRST, *LATER]
VENDORED = sorted(path for path in (STATIC / "vendor").glob("*.mjs") if path.stem != "dagre")
STYLES = sorted(STATIC.glob("*.css"))


def test_every_module_says_what_it_is_and_is_short() -> None:
    for path in OWN:
        lines = path.read_text().splitlines()

        assert lines[0].startswith("// "), path.name
        assert len(lines) <= 300, path.name


def test_the_first_load_is_under_100_kb_compressed() -> None:
    files = [STATIC / "index.html", *FIRST, *VENDORED, *STYLES]

    total = sum(len(gzip.compress(path.read_bytes())) for path in files)

    assert total < 100_000


def test_every_module_of_the_first_load_is_asked_for_at_once() -> None:
    preloaded = set(re.findall(r'(?:modulepreload" href|type="module" src)="/static/([\w/]+\.mjs)"', INDEX))

    assert preloaded == {path.relative_to(STATIC).as_posix() for path in (*FIRST, *VENDORED)}


def test_every_style_sheet_is_linked() -> None:
    assert set(re.findall(r'stylesheet" href="/static/(\w+\.css)"', INDEX)) == {path.name for path in STYLES}


def test_the_only_inline_script_takes_the_nonce() -> None:
    assert INDEX.count("{{ nonce }}") == 1
    assert re.findall(r"<script(?![^>]*src=)[^>]*>", INDEX) == ['<script type="importmap" nonce="{{ nonce }}">']


def test_nothing_turns_text_into_markup_or_code() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write|\beval\(|new Function"
    )
    for path in OWN:
        assert not forbidden.search(path.read_text()), path.name


def test_nothing_is_styled_inline() -> None:
    for path in OWN:
        assert not re.search(r'style="', path.read_text()), path.name
    assert "style=" not in INDEX
    assert "<style" not in INDEX
