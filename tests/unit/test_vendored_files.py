"""The page's vendored libraries are the files that VENDOR.json records, byte for byte."""

import hashlib
import json
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "gateway" / "static" / "vendor"
RECORDS = json.loads((VENDOR / "VENDOR.json").read_text())["files"]


def test_every_file_has_its_recorded_hash() -> None:
    hashes = {record["file"]: hashlib.sha256((VENDOR / record["file"]).read_bytes()).hexdigest() for record in RECORDS}

    assert hashes == {record["file"]: record["sha256"] for record in RECORDS}


def test_no_vendored_file_is_unrecorded() -> None:
    found = {path.name for path in VENDOR.glob("*.mjs")}

    assert found == {record["file"] for record in RECORDS}


def test_every_record_names_its_origin_and_carries_its_licence() -> None:
    for record in RECORDS:
        named = all(record[key] for key in ("package", "version", "source", "licence"))

        assert named, record
        assert (VENDOR / record["licenceFile"]).stat().st_size > 500, record
