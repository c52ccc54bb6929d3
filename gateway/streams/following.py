"""Following a run: what the journal has, then what happens, each event once and in order. All transports use this."""

from collections.abc import Iterator
from uuid import UUID

from gateway.streams import capacity, frames, hub
from gateway.streams.frames import Frame
from gateway.streams.inbox import Inbox
from services.errors import BadInput, Unavailable
from services.journal import events, runs

TICK_SECONDS = 5.0


class Interrupted(Exception):
    """The stream ends before its run does; the client should come back with `after`."""

    def __init__(self, after: int) -> None:
        super().__init__(f"resume with after={after}")
        self.after = after


class SlowReader(Interrupted):
    """The client takes events more slowly than they happen."""


class Draining(Interrupted):
    """This process is shutting down."""


class JournalAway(Interrupted):
    """The journal stopped answering in the middle of the stream."""


def checked_after(run: runs.Run, after: int) -> int:
    """`after`, if the run can have got so far. Raises BadInput: waiting for such an event would never end."""
    if after > run.last_seq:
        raise BadInput(f"This run has {run.last_seq} events so far; `after` can't be {after}.")
    return after


def follow(
    run: runs.Run, after: int, *, tick: float = TICK_SECONDS, inbox: Inbox | None = None
) -> Iterator[list[Frame]]:
    """Batches of the run's events that follow `after`, up to its terminal event; an empty batch each `tick` of silence.

    inbox: one that the caller wakes when it wants a batch, though empty, at once.

    Subscribes first, then replays, then drops what is not newer and fills gaps from the journal. Raises Interrupted.
    """
    if run.status in runs.FINISHED:
        yield from _journaled(run.id, after)
        return
    inbox = inbox or Inbox()
    with hub.current().subscribed(str(run.id), inbox):
        replaying = True
        while True:
            if replaying:
                inbox.empty()
                batches = _journaled(run.id, after)
            else:
                fresh = [frame for frame in inbox.take(tick) if frame.seq > after]
                if capacity.draining():
                    raise Draining(after)
                if inbox.overflowed:
                    raise SlowReader(after)
                if replaying := not _continues(fresh, after):
                    continue
                batches = iter([fresh])
            for batch in batches:
                yield batch
                if batch:
                    after = batch[-1].seq
                    if batch[-1].terminal:
                        return
            replaying = replaying and inbox.overflowed  # so much happened meanwhile: the journal has the rest too


def _continues(batch: list[Frame], after: int) -> bool:
    """Whether these are exactly the next events, complete. (A silent tick, an empty batch, is.)"""
    return all(frame.seq == after + 1 + place and frame.text is not None for place, frame in enumerate(batch))


def _journaled(run_id: UUID, after: int) -> Iterator[list[Frame]]:
    while True:
        try:
            page = [frames.of(event) for event in events.after(run_id, after)]
        except Unavailable as error:
            raise JournalAway(after) from error
        if not page:
            return
        yield page
        after = page[-1].seq
