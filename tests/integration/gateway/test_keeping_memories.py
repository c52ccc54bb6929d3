"""Memories are looked through in pages, corrected by superseding, deleted for good; each only by its own tenant."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from services.access import api_keys


@pytest.fixture
def headers(servers: object) -> dict[str, str]:
    return {"X-API-Key": api_keys.create(str(uuid4()), "memories")[1]}


def remember(http: FlaskClient, headers: dict[str, str], *texts: str) -> list[str]:
    items = [{"text": text, "at": f"2026-01-0{day}T00:00:00Z"} for day, text in enumerate(texts, 1)]
    return http.post("/api/memory", json={"items": items}, headers=headers).json["ids"]


def test_pages_of_memories_join_without_gap_or_double(http: FlaskClient, headers: dict[str, str]) -> None:
    ids = remember(http, headers, "a", "b", "c", "d", "e")
    seen, cursor = [], ""
    while cursor is not None:
        page = http.get(f"/api/memory?limit=2&cursor={cursor}", headers=headers).json
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]

    assert seen == ids[::-1]
    assert http.get("/api/memory?userId=somebody", headers=headers).json["items"] == []


def test_a_correction_takes_the_place_of_what_it_corrects(http: FlaskClient, headers: dict[str, str]) -> None:
    [old] = remember(http, headers, "The launch is on a Tuesday")

    made = http.put(f"/api/memory/{old}", json={"text": "The launch is on a Thursday"}, headers=headers)
    again = http.put(f"/api/memory/{old}", json={"text": "The launch is on a Sunday"}, headers=headers)

    assert made.status_code == 201
    [item] = http.get("/api/memory", headers=headers).json["items"]
    assert (item["id"], item["text"]) == (made.json["id"], "The launch is on a Thursday")
    assert (item["at"], item["metadata"]) == ("2026-01-01T00:00:00.000Z", {"supersedes": old})
    found = http.post("/api/memory/search", json={"query": "launch"}, headers=headers).json["items"]
    assert [each["id"] for each in found] == [made.json["id"]]
    assert again.status_code == 409


def test_what_is_forgotten_is_gone(http: FlaskClient, headers: dict[str, str]) -> None:
    keep, drop = remember(http, headers, "keep", "drop")

    assert http.delete(f"/api/memory/{drop}", headers=headers).status_code == 204
    assert [item["id"] for item in http.get("/api/memory", headers=headers).json["items"]] == [keep]
    assert http.delete(f"/api/memory/{drop}", headers=headers).status_code == 404


def test_another_tenant_can_neither_see_nor_change_it(http: FlaskClient, headers: dict[str, str]) -> None:
    [mine] = remember(http, headers, "mine")
    other = {"X-API-Key": api_keys.create(str(uuid4()), "other")[1]}

    assert http.get("/api/memory", headers=other).json["items"] == []
    assert http.put(f"/api/memory/{mine}", json={"text": "theirs"}, headers=other).status_code == 404
    assert http.delete(f"/api/memory/{mine}", headers=other).status_code == 404
    assert http.delete("/api/memory/nonsense", headers=other).status_code == 404
