"""Re-embedding: searches go on, spaces are never mixed, and a worker that is killed leaves nothing undone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from services import database
from services.memory import memories, minilm, reembedding, retrieval, vectors
from services.memory.memories import NewMemory
from tests.environment import environment
from tests.scripted_model import ScriptedModel

ROOT = Path(__file__).parents[3]
ROWS = 120
WORKER = """
from services.memory import vectors
while vectors.embed_pending(8, model="tiny-vec"): pass
"""


@pytest.fixture
def model(servers: object) -> Iterator[ScriptedModel]:
    with ScriptedModel(()) as scripted:
        with environment(OPENAI_BASE_URL=scripted.base_url, OPENAI_API_KEY="sk-canary-1234567890"):
            yield scripted
    with database.session() as session:  # other tests search by the embedded model
        session.execute(text("delete from memories_to_embed where model <> :model"), {"model": minilm.MODEL})
        session.execute(
            text("update embedding_models set state = 'retired' where model <> :model"), {"model": minilm.MODEL}
        )
        session.execute(
            text("update embedding_models set state = 'active' where model = :model"), {"model": minilm.MODEL}
        )
    vectors.forget_active()


def test_a_move_survives_kill_9_and_no_search_fails_or_mixes_spaces(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    ids = memories.add_many(tenant, [NewMemory("ada", f"Crate {n} holds {n} lamps.") for n in range(ROWS)])
    while vectors.embed_pending(64):
        pass
    reembedding.begin("tiny-vec")
    spaces = set()
    for round_ in range(3):  # two workers are killed in the middle, the third may finish
        worker = subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=dict(os.environ))
        until = time.monotonic() + (60 if round_ == 2 else 3)
        while worker.poll() is None and time.monotonic() < until:
            found = retrieval.search(tenant, "ada", "the crate with 7 lamps", k=5)
            assert (len(found.items), found.note) == (5, None)
            spaces.add(vectors.active())
            time.sleep(0.05)  # leaves the worker some of the processor
        if worker.poll() is None:
            worker.send_signal(signal.SIGKILL)
        worker.wait()
    late = memories.add(tenant, "ada", "A late crate holds a drum.")

    assert spaces == {minilm.MODEL}
    assert reembedding.finish() is None  # the late one is still missing
    assert vectors.active() == minilm.MODEL

    while vectors.embed_pending(64, model="tiny-vec"):
        pass

    assert reembedding.finish() == "tiny-vec"
    assert vectors.active() == "tiny-vec"
    new = [space for space in vectors.spaces_of(late) if space.startswith("tiny-vec")]
    assert all(new[0] in vectors.spaces_of(one) for one in ids)
    assert all(item.similarity is not None for item in retrieval.search(tenant, "ada", "crate", k=50).items)


def test_beginning_twice_queues_nothing_twice_and_another_move_gives_the_first_up(model: ScriptedModel) -> None:
    tenant = f"tenant-{uuid4()}"
    memories.add(tenant, "ada", "The drum is red.")
    reembedding.begin("tiny-vec")
    once = {one.model: one.pending for one in reembedding.progress()}
    reembedding.begin("tiny-vec")
    twice = {one.model: one.pending for one in reembedding.progress()}
    reembedding.begin("other-vec")

    assert once == twice
    assert reembedding.building() == "other-vec"
    assert {one.model: one.pending for one in reembedding.progress()}["tiny-vec"] == 0
