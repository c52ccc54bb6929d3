"""The last ranking: words, meaning and the structure of talks made into one score per memory. Pure arithmetic.

The recipe and what each part is worth: docs/memory.md.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.memory import questions

Numbers = NDArray[np.float32]

WORDS, MEANING = 0.4, 0.6
LENT = {-2: 0.1, -1: 0.3, 1: 0.2, 2: 0.1}  # what a turn gets of the score of the one so many places from it
SESSION = 0.3
NAMED = 0.25  # of the best score, for turns of the one whom the query names
TELLS_WHEN = 0.15  # for a text with a word of time, when the query asks for a time
IN_SPAN = 0.15  # of the best score, for what is of the days that the query speaks of
USED = 0.02  # of the best score, for what was often used; recent use counts more
BRIEF = 0.4  # what the shortest turns of a talk lose ("Bye!"); it fades within some words
PAUSE = 3600.0  # seconds of silence that part a talk into sessions


@dataclass
class Candidates:
    """What may be found, column by column: row i of each is the same memory.

    vectors: (rows, dimensions), unit length, zeros where there is none. ranks: (rows, terms), how well each word of the
    query fits. idf: (terms,), how rare each is.
    """

    ids: list[UUID]
    kinds: list[str]
    texts: list[str]
    speakers: list[str | None]
    at: list[datetime]
    positions: list[int]
    threads: list[str | None]
    cosine: Numbers
    vectors: Numbers
    ranks: Numbers
    idf: Numbers
    asked: float  # the rarity of all words of the query together, those included that no row holds
    use_counts: list[int] = field(default_factory=list)
    last_used: list[datetime | None] = field(default_factory=list)
    session: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.ids)


def candidates(rows: list[Any], *, every: bool) -> Candidates:
    """Rows of a search's statement as columns, in the order of the talks.

    every: they are all that may be found, so how rare a word is can be counted; else they carry it.
    """
    rows = sorted(rows, key=lambda row: (row.thread or "", row.at, row.position))
    width = max((max(row.terms) for row in rows if row.terms), default=0)
    asked = float(rows[0].asked or 0) if rows else 0.0
    width = max(width, int(asked)) if every else width
    ranks = np.zeros((len(rows), width), np.float32)
    idf = np.zeros(width, np.float32)
    for index, row in enumerate(rows):
        if row.terms:
            places = [term - 1 for term in row.terms]
            ranks[index, places] = row.ranks
            if not every:
                idf[places] = row.weights
    if every and rows:
        holders = (ranks > 0).sum(axis=0)
        idf = np.log(1 + (len(rows) - holders + 0.5) / (holders + 0.5)).astype(np.float32)
        asked = float(idf.sum())
    dimensions = max(((len(row.vector) - 4) // 2 for row in rows if row.vector), default=0)
    vectors = np.zeros((len(rows), dimensions), np.float32)
    for index, row in enumerate(rows):
        if row.vector:  # halfvec_send: two 16-bit numbers (dimensions, unused), then big-endian halves
            vectors[index] = np.frombuffer(bytes(row.vector), ">f2", offset=4)
    made = Candidates(
        ids=[row.id for row in rows],
        kinds=[row.kind for row in rows],
        texts=[row.text for row in rows],
        speakers=[row.speaker for row in rows],
        at=[row.at for row in rows],
        positions=[row.position for row in rows],
        threads=[row.thread for row in rows],
        cosine=np.array([np.nan if row.cosine is None else row.cosine for row in rows], np.float32),
        vectors=vectors,
        ranks=ranks,
        idf=idf,
        asked=asked,
        use_counts=[row.use_count for row in rows],
        last_used=[row.last_used_at for row in rows],
    )
    made.session = _sessions(made)
    return made


def _sessions(found: Candidates) -> NDArray[np.int64]:
    """The number of each row's session, -1 for what stands alone. Rows are in the order of the talks."""
    sessions, number = [], -1
    for index, thread in enumerate(found.threads):
        if thread is None:
            sessions.append(-1)
            continue
        before = index - 1
        same = before >= 0 and found.threads[before] == thread
        if not same or (found.at[index] - found.at[before]).total_seconds() > PAUSE:
            number += 1
        sessions.append(number)
    return np.array(sessions, np.int64)


def words(found: Candidates) -> tuple[Numbers, Numbers]:
    """How well the words fit, the best being 1; and the share of the query's words that each row holds, by rarity."""
    points = found.ranks @ found.idf
    held = (found.ranks > 0) @ found.idf
    coverage = held / found.asked if found.asked else np.zeros(len(found), np.float32)
    top = points.max(initial=0)
    return (points / top if top else points), coverage


def own(found: Candidates, word_points: Numbers, query: str) -> Numbers:
    """What each row is worth by itself: words and meaning; a row without a vector counts as middling near."""
    scores: Any = word_points
    if len(found) and not np.isnan(found.cosine).all():
        cosine = np.where(np.isnan(found.cosine), np.nanmean(found.cosine), found.cosine)
        scores = WORDS * word_points + MEANING * cosine
    lengths = np.array([len(text.split()) for text in found.texts], np.float32)
    brief = np.where(found.session >= 0, BRIEF * np.exp(-lengths / 6), 0)
    if questions.asks_when(query):
        times = np.array([questions.tells_when(text) for text in found.texts], np.float32)
        scores = scores * (1 + TELLS_WHEN * times)
    return np.asarray(scores * (1 - brief), np.float32)


def structured(found: Candidates, scores: Numbers, named: str | None) -> dict[str, Numbers]:
    """What talks add to each row's own score: neighbours, session, speaker. Keys are the parts' names."""
    session = found.session
    lent = np.zeros_like(scores)
    for offset, share in LENT.items():
        later, earlier = slice(abs(offset), None), slice(None, -abs(offset))
        source, target = (earlier, later) if offset < 0 else (later, earlier)
        same = (session[later] == session[earlier]) & (session[later] >= 0)
        lent[target] += share * scores[source] * same
    total = scores + lent
    prior = np.zeros_like(scores)
    for number in range(session.max(initial=-1) + 1):
        members = session == number
        best_of = members.nonzero()[0][np.argsort(-scores[members], kind="stable")[:3]]
        prior[members] = SESSION * total[best_of].mean()
    speaker = np.zeros_like(scores)
    if named is not None:
        speaker[[name == named for name in found.speakers]] = NAMED * total.max(initial=0)
    return {"neighbours": lent, "session": prior, "speaker": speaker}


def circumstances(found: Candidates, top: float, span: questions.Span | None, now: datetime) -> dict[str, Numbers]:
    """What the time and the use of a memory add; `top` is the best score without them."""
    days = np.zeros(len(found), np.float32)
    if span is not None:
        days[[span.start <= at < span.end for at in found.at]] = IN_SPAN * top
    use = np.zeros(len(found), np.float32)
    for index, count in enumerate(found.use_counts):
        last = found.last_used[index]
        if count and last:
            weeks = (now - last).total_seconds() / 604_800
            use[index] = USED * top * min(np.log1p(count), 3) / (1 + max(weeks, 0))
    return {"time": days, "use": use}
