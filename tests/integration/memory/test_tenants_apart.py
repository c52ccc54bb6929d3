"""Two tenants with the same users, words and conversations: nothing of one shows in anything that the other gets."""

import random
from uuid import uuid4

from services.memory import care, learning, memories, retrieval, transfer, vectors
from services.memory.memories import NewMemory

WORDS = ["canoe", "lantern", "ledger", "harbour", "password", "doctor", "invoice", "Tuesday", "blue", "sister"]
SCOPES = ["user", "tenant", "agent", "conversation"]


def test_no_search_list_count_or_explanation_tells_of_the_other_tenant(servers: object) -> None:
    chance = random.Random(11)
    red, blue = f"red-{uuid4()}", f"blue-{uuid4()}"
    lines = [
        NewMemory(
            chance.choice(["ada", "ben", "ada/c", "b%n"]),
            " ".join(chance.choices(WORDS, k=5)),
            kind=chance.choice(["message", "note", "fact", "episode"]),
            scope=chance.choice(SCOPES),
            agent="seller",
            conversation_id=chance.choice(["c1", "c/1", "1"]),
            trust=chance.choice(["person", "outside"]),
            metadata={"speaker": chance.choice(["Mira", "Ole"])},
        )
        for _ in range(150)
    ]
    ids = {red: memories.add_many(red, lines)}
    alone = _everything(red, chance=random.Random(5))
    ids[blue] = memories.add_many(
        blue,
        [
            NewMemory(
                one.user_id,
                f"BLUE {one.text}",
                kind=one.kind,
                scope=one.scope,
                agent="seller",
                conversation_id=one.conversation_id,
                trust=one.trust,
                metadata=one.metadata,
            )
            for one in lines
        ],
    )
    learning.learn(blue, NewMemory("ada", "BLUE is the colour. My dentist is BLUE."))
    beside = _everything(red, chance=random.Random(5))

    # whatever red gets is, to the last score and count, what it got before blue had anything
    assert beside == alone
    assert "BLUE" not in str(beside)
    assert {one["id"] for one in transfer.exported(red)} == {str(one) for one in ids[red]}
    assert {one.tenant for one in care.quarantined(blue, limit=200)} == {blue}


def _everything(tenant: str, *, chance: random.Random) -> list[object]:
    """What searches and lists give a tenant, in all their parts."""
    got: list[object] = []
    vectors.forget_active()
    for _ in range(60):
        query = " ".join([*chance.choices(WORDS, k=2), *chance.choices(["Mira", "BLUE", "'; --", "%", ""], k=1)])
        found = retrieval.search(
            tenant,
            chance.choice(["ada", "ben", "ada/c", "b%n", "nobody"]),
            query,
            k=chance.choice([1, 10, 200]),
            agent=chance.choice([None, "seller"]),
            inside=chance.choice([None, "c1", "c/1"]),
        )
        got.append((found.ways, [(one.id, round(one.score, 5), one.coverage, one.parts) for one in found.items]))
    got.append([one.id for one in memories.listed(tenant, "ada", limit=200)])
    got.append([one.id for one in care.quarantined(tenant, limit=200)])
    return got


def test_an_import_of_another_tenants_ids_takes_nothing_and_tells_nothing(servers: object) -> None:
    red, blue = f"red-{uuid4()}", f"blue-{uuid4()}"
    secret = memories.add(red, "ada", "The vault opens to the left.")
    line = {"id": str(secret), "userId": "ada", "text": "mine", "kind": "note"}

    assert transfer.imported(blue, [transfer.read(line)]) == 1
    assert memories.get(red, secret).text == "The vault opens to the left."
    assert [item.text for item in retrieval.search(blue, "ada", "mine").items] == ["mine"]
