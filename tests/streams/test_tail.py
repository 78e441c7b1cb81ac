"""Every race between replay and tail, written down as a list: no I/O, no threads, no clock.

A log grows in "Redis"; each append is notified; notifications are lost, repeated, reordered and cut down to hints at
will; viewers join with any position, are slow at will, and reconnect. Whatever happens, each ends with the whole log:
every entry once, in order.
"""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.chunk import End, Kind, Outcome, Position, encode_end, encode_note, encode_text
from streams.counts import Followed
from streams.reader import Page
from streams.tail import Ahead, Batch, Cursor, Gone, Serving, Tail

EPOCH = "3f9ac2b17d04e586"


@dataclass
class Reader:
    """A viewer that keeps what a client would keep, and checks the rules of PROTOCOL.md as it goes."""

    slow: bool = False
    woken: bool = False
    epoch: str | None = None
    entries: list[bytes] = field(default_factory=list)
    gone: bool = False
    received: int = 0
    ahead: list[int | None] = field(default_factory=list)
    away: list[bool] = field(default_factory=list)

    def offer(self, _cursor: Cursor, batch: Batch) -> bool:
        if self.slow:
            self.woken = True
            return False
        self._receive(batch)
        return True

    def wake(self, _cursor: Cursor) -> None:
        self.woken = True

    def take_all(self, cursor: Cursor) -> None:
        self.woken = False
        while (event := cursor.take()) is not None:
            if isinstance(event, Gone):
                self.gone = True
            elif isinstance(event, Serving):
                if event.epoch != self.epoch:
                    self.epoch, self.entries = event.epoch, []
                assert event.index <= len(self.entries)
                del self.entries[event.index :]
            elif isinstance(event, Ahead):
                self.ahead.append(event.count)
                self.away.append(event.away)
            else:
                self._receive(event)

    def _receive(self, batch: Batch) -> None:
        assert batch.epoch == self.epoch
        assert batch.start == len(self.entries), "a gap, or a repetition"
        self.entries += batch.entries
        self.received += len(batch.entries)


class World:
    """A stream as it lies in Redis, and a Tail that hears of it over a bad line."""

    def __init__(self, entries: list[bytes]) -> None:
        self.log = entries
        self.stored = 0
        self.epoch: str | None = EPOCH
        self.due = True
        self.tail = Tail("s", expected=True, clock=lambda: 0.0)
        self.sent: list[bytes] = []  # every notification there was

    def append(self, count: int, hint: bool) -> None:
        count = min(count, len(self.log) - self.stored)
        if count == 0:
            return
        entries = self.log[self.stored : self.stored + count]
        sizes = b"" if hint else b",".join(b"%d" % len(entry) for entry in entries)
        header = b"%s %d %d %s\n" % (EPOCH.encode(), self.stored, self.stored + count, sizes)
        self.sent.append(header + (b"" if hint else b"".join(entries)))
        self.stored += count

    def notify(self, which: int) -> None:
        if self.sent and not self.tail.notified(self.sent[which % len(self.sent)]):
            self.due = True

    def read(self, page_size: int = 3) -> None:
        position = self.tail.position
        start = position.index if position else 0
        if self.stored == len(self.log):  # as read.lua does
            start = min(start, len(self.log) - 1)
        entries = self.log[start : min(start + page_size, self.stored)]
        self.due = not self.tail.replayed(Page(EPOCH, start, self.stored, self.stored == len(self.log), entries))

    def settle(self) -> None:
        """What the hub does after a silence: read until there is no more."""
        self.read()
        while self.due:
            self.read()


LOG = [encode_text(Kind.TEXT, f"word{i} ") for i in range(12)] + [encode_end(End(Outcome.FINISHED))]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 4), st.booleans()),
        st.tuples(st.just("notify newest"), st.just(-1), st.booleans()),
        st.tuples(st.just("notify"), st.integers(0, 20), st.booleans()),
        st.tuples(st.just("read"), st.integers(1, 5), st.booleans()),
        st.tuples(st.just("join"), st.integers(0, 14), st.booleans()),
        st.tuples(st.just("reconnect"), st.integers(0, 5), st.booleans()),
        st.tuples(st.just("catch up"), st.integers(0, 5), st.booleans()),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(steps)
def test_replay_and_tail_make_the_whole_for_every_interleaving(moves: list[tuple[str, int, bool]]) -> None:
    world = World(LOG)
    viewers: list[tuple[Reader, Cursor]] = []
    for move, number, flag in [("join", 0, False), *moves]:
        if move == "append":
            world.append(number, hint=flag)
        elif move.startswith("notify"):
            world.notify(number)
        elif move == "read":
            world.read(number)
        elif move == "join":  # someone who has `number` entries from an earlier visit, if there were that many
            have = LOG[: min(number, world.stored)]
            reader = Reader(slow=flag, epoch=EPOCH if have else None, entries=list(have))
            viewers.append((reader, world.tail.join(reader, Position(EPOCH, len(have)) if have else None)))
        else:
            reader, cursor = viewers[number % len(viewers)]
            if move == "catch up":
                reader.take_all(cursor)
                reader.slow = flag
            else:
                cursor.close()
                position = Position(EPOCH, len(reader.entries)) if reader.epoch else None
                viewers[number % len(viewers)] = (reader, world.tail.join(reader, position))
    world.append(len(LOG), hint=True)
    world.settle()
    for reader, cursor in viewers:
        reader.take_all(cursor)
        assert reader.entries == LOG
        assert cursor.take() is None


def test_the_log_tells_of_notifications_that_were_missed_and_not_of_those_that_were_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    world = World(LOG)
    world.read()
    for _ in range(3):
        world.append(1, hint=True)  # too large to travel along: to be read, and not missed
        world.notify(-1)
        world.read()
    assert caplog.records == []
    world.append(2, hint=False)
    world.append(1, hint=False)
    world.notify(-1)
    [record] = caplog.records
    assert record.getMessage() == "notifications were missed; read from the list"
    assert (vars(record)["stream_id"], vars(record)["entries"]) == ("s", 2)


@given(st.integers(0, len(LOG)), st.integers(0, len(LOG)))
def test_a_viewer_that_comes_back_receives_exactly_what_it_lacks(have: int, stored: int) -> None:
    world = World(LOG)
    world.append(stored, hint=False)
    world.settle()
    have = min(have, stored)
    reader = Reader(epoch=EPOCH, entries=LOG[:have])
    reader.take_all(world.tail.join(reader, Position(EPOCH, have)))
    assert reader.entries == LOG[:stored]
    end_comes_always = 1 if stored == len(LOG) else 0
    assert reader.received == max(stored - have, end_comes_always)


def test_a_viewer_that_comes_back_while_the_list_is_still_being_read_receives_exactly_what_it_lacks() -> None:
    world = World(LOG)
    world.append(len(LOG), hint=False)
    world.read(3)
    here, ahead = Reader(epoch=EPOCH, entries=LOG[:2]), Reader(epoch=EPOCH, entries=LOG[:10])
    viewers = [(reader, world.tail.join(reader, Position(EPOCH, len(reader.entries)))) for reader in (here, ahead)]
    for reader, cursor in viewers:
        reader.take_all(cursor)
    assert (here.received, ahead.received) == (1, 0), "of the page that was read"
    world.settle()
    for reader, cursor in viewers:
        assert reader.woken
        reader.take_all(cursor)
        assert reader.entries == LOG
    assert ahead.received == len(LOG) - 10


def test_a_position_of_another_epoch_is_served_from_the_beginning() -> None:
    world = World(LOG)
    world.append(len(LOG), hint=False)
    world.settle()
    reader = Reader(epoch="00", entries=[b"t:other text"])
    reader.take_all(world.tail.join(reader, Position("00", 1)))
    assert reader.entries == LOG


def test_a_position_from_the_future_is_served_from_where_the_list_ends() -> None:
    world = World(LOG)
    world.append(4, hint=False)
    world.settle()
    reader = Reader()
    cursor = world.tail.join(reader, Position(EPOCH, 99))
    assert cursor.take() == Serving("s", EPOCH, 4, "running")
    world.append(len(LOG), hint=False)
    world.settle()
    cursor = world.tail.join(reader, Position(EPOCH, 99))
    assert cursor.take() == Serving("s", EPOCH, len(LOG) - 1, "ended"), "the end always comes"


def test_one_viewer_that_fails_makes_no_other_miss_anything() -> None:
    class Broken(Reader):
        def offer(self, _cursor: Cursor, _batch: Batch) -> bool:
            raise LookupError

    world = World(LOG)
    world.append(2, hint=False)
    world.settle()
    readers = [Reader(), Broken(), Reader()]
    cursors = [world.tail.join(reader, None) for reader in readers]
    for reader, cursor in zip(readers, cursors, strict=True):
        reader.take_all(cursor)
    world.append(len(LOG) - 3, hint=False)
    world.notify(-1)
    assert readers[0].entries == readers[2].entries == LOG[:-1]


def test_the_end_is_not_offered_but_there_to_be_taken() -> None:
    world = World(LOG)
    world.append(2, hint=False)
    world.settle()
    reader = Reader()
    cursor = world.tail.join(reader, None)
    reader.take_all(cursor)
    world.append(len(LOG), hint=False)
    world.notify(-1)
    assert (reader.entries, reader.woken) == (LOG[:2], True)
    reader.take_all(cursor)
    assert reader.entries == LOG


def test_a_new_epoch_clears_every_viewer_and_begins_at_zero() -> None:
    world = World(LOG)
    world.append(5, hint=False)
    world.settle()
    reader = Reader()
    cursor = world.tail.join(reader, None)
    reader.take_all(cursor)
    other = [encode_text(Kind.TEXT, "anew")]
    assert not world.tail.notified(b"77 0 0 \n"), "another epoch is never guessed at: it is read"
    world.tail.replayed(Page("77", 0, 1, False, other))
    reader.take_all(cursor)
    assert (reader.epoch, reader.entries) == ("77", other)


def test_a_notification_that_cannot_be_read_has_the_list_read() -> None:
    world = World(LOG)
    world.append(4, hint=False)
    world.settle()
    for payload in (b"nonsense", b"%s 4 5 99\nt:cut" % EPOCH.encode(), b"%s -1 5 5\nt:cut" % EPOCH.encode()):
        assert not world.tail.notified(payload)
    reader = Reader()
    reader.take_all(world.tail.join(reader, None))
    assert reader.entries == LOG[:4]


def test_a_viewer_of_a_queued_stream_is_told_so_and_then_of_its_beginning() -> None:
    tail = Tail("s", expected=True, clock=lambda: 0.0)
    reader = Reader()
    cursor = tail.join(reader, None)
    assert cursor.take() is None, "nothing is said before the list was read"
    tail.replayed(Page(None, 0, 0, False, []))
    assert reader.woken
    assert cursor.take() == Serving("s", None, 0, "queued")
    tail.replayed(Page(EPOCH, 0, 0, False, []))
    assert cursor.take() == Serving("s", EPOCH, 0, "running")
    assert cursor.take() is None


def test_all_viewers_of_a_range_get_the_same_batch_encoded_once() -> None:
    world = World(LOG)
    world.append(6, hint=False)
    world.settle()
    encodings: list[int] = []

    def encode(batch: Batch) -> bytes:
        encodings.append(batch.start)
        return b"".join(batch.entries)

    batches = []
    for _ in range(1000):
        cursor = world.tail.join(Reader(), None)
        assert isinstance(cursor.take(), Serving)
        batch = cursor.take()
        assert isinstance(batch, Batch)
        batch.encoded(encode)
        batches.append(batch)
    assert encodings == [0]
    assert all(batch is batches[0] for batch in batches)


def test_a_long_range_comes_in_batches_of_bounded_size() -> None:
    log = [encode_text(Kind.TEXT, "x" * 10_000) for _ in range(20)]
    world = World(log)
    world.append(20, hint=True)
    world.settle()
    reader = Reader()
    cursor = world.tail.join(reader, None)
    assert isinstance(cursor.take(), Serving)
    sizes = []
    while (batch := cursor.take()) is not None:
        assert isinstance(batch, Batch)
        sizes.append(sum(map(len, batch.entries)))
    assert max(sizes) <= 64 * 1024
    assert sum(sizes) == sum(map(len, log))


def test_a_stream_that_vanished_is_waited_for_while_its_writer_may_mend_it() -> None:
    now = 0.0
    tail = Tail("s", expected=True, clock=lambda: now)
    reader = Reader()
    cursor = tail.join(reader, None)
    tail.replayed(None)
    assert cursor.take() is None
    now = 9.0
    tail.replayed(None)
    assert not tail.gone
    now = 11.0
    tail.replayed(None)
    assert cursor.take() == Gone("s")
    assert cursor.take() is None, "it is said once"


def test_a_stream_that_nobody_should_be_writing_is_gone_at_once() -> None:
    tail = Tail("s", expected=False, clock=lambda: 0.0)
    cursor = tail.join(Reader(), None)
    tail.replayed(None)
    assert cursor.take() == Gone("s")


def test_what_was_read_to_its_end_stays_readable_after_redis_has_forgotten_it() -> None:
    world = World(LOG)
    world.append(len(LOG), hint=False)
    world.settle()
    world.tail.replayed(None)
    reader = Reader()
    reader.take_all(world.tail.join(reader, None))
    assert reader.entries == LOG


def test_who_waits_in_a_queue_is_told_how_many_are_ahead_whenever_that_changes() -> None:
    tail = Tail("s", expected=True, clock=lambda: 0.0)
    first, second = Reader(), Reader()
    cursor = tail.join(first, None)
    assert not tail.is_queued  # nothing is known yet
    tail.replayed(Page(None, 0, 0, False, []))
    assert tail.is_queued
    for ahead in (3, 3, 2):
        tail.queued_behind(ahead, away=False)
        first.take_all(cursor)
    assert first.ahead == [3, 2]
    second.take_all(tail.join(second, None))
    assert second.ahead == [2]

    tail.replayed(Page(EPOCH, 0, 1, False, LOG[:1]))
    assert not tail.is_queued
    tail.queued_behind(1, away=False)
    first.take_all(cursor)
    assert (first.ahead, first.entries) == ([3, 2], LOG[:1])


def test_who_waits_in_a_queue_is_told_that_nobody_is_there_to_begin_it_and_when_somebody_is() -> None:
    tail, early, late = Tail("s", expected=True, clock=lambda: 0.0), Reader(), Reader()
    cursor = tail.join(early, None)
    tail.replayed(Page(None, 0, 0, False, []))
    for away in (False, True, True, False, True):
        tail.queued_behind(0, away=away)
        early.take_all(cursor)
    assert early.away == [False, True, False, True]
    late.take_all(tail.join(late, None))
    assert (late.ahead, late.away) == ([0], [True])


def test_where_the_number_is_not_known_only_that_nobody_is_there_is_told_and_that_somebody_is_again() -> None:
    tail, reader = Tail("s", expected=True, clock=lambda: 0.0), Reader()
    cursor = tail.join(reader, None)
    tail.replayed(Page(None, 0, 0, False, []))
    for away in (False, True, True, False, False):
        tail.queued_behind(None, away=away)
        reader.take_all(cursor)
    assert (reader.ahead, reader.away) == ([None, None], [True, False])


def test_a_stream_that_is_queued_again_is_told_as_one_that_was_never_begun() -> None:
    tail, reader = Tail("s", expected=True, clock=lambda: 0.0), Reader()
    cursor = tail.join(reader, None)
    queued = Page(None, 0, 0, False, [])
    for epoch in ("first", "second"):
        tail.replayed(queued)
        assert tail.is_queued
        tail.queued_behind(0, away=False)
        reader.take_all(cursor)
        assert (reader.epoch, reader.entries) == (None, [])
        tail.replayed(Page(epoch, 0, 1, False, [encode_note(f"{epoch} waits")]))
        reader.take_all(cursor)
        assert (reader.epoch, reader.entries) == (epoch, [encode_note(f"{epoch} waits")])
    assert reader.ahead == [0, 0], "each time how many are before it, even if they are as many"


def attach(world: World, index: int, epoch: str = EPOCH) -> Reader:
    """A viewer that has so much already, and takes the rest."""
    reader = Reader(epoch=epoch, entries=world.log[:index])
    reader.take_all(world.tail.join(reader, Position(epoch, index)))
    return reader


def test_what_a_viewer_has_already_is_counted_as_saved_and_what_it_gets_as_delivered() -> None:
    world, counts = World(LOG), Followed()
    world.tail = Tail("s", expected=True, clock=lambda: 0.0, counts=counts)
    world.append(3, hint=False)
    world.settle()
    readers = [attach(world, index) for index in (2, 0, 1)]
    assert (counts.attached, counts.resumed) == (3, 2)
    assert counts.saved_bytes == len(LOG[0] + LOG[1]) + len(LOG[0])
    taken = len(LOG[2]) + len(LOG[0] + LOG[1] + LOG[2]) + len(LOG[1] + LOG[2])
    assert (counts.delivered, counts.delivered_bytes) == (3, taken)

    readers[1].slow = True
    world.append(1, hint=False)
    world.notify(-1)
    assert (counts.delivered, counts.delivered_bytes) == (5, taken + 2 * len(LOG[3])), "the slow one takes it later"
    assert counts.gaps == 0


def test_a_position_of_other_text_saves_nothing() -> None:
    world, counts = World(LOG), Followed()
    world.tail = Tail("s", expected=True, clock=lambda: 0.0, counts=counts)
    world.append(1, hint=False)
    world.settle()
    attach(world, 1, epoch="another")
    assert (counts.attached, counts.resumed, counts.saved_bytes) == (1, 0, 0)


def test_what_was_missed_is_counted_as_a_gap() -> None:
    world, counts = World(LOG), Followed()
    world.tail = Tail("s", expected=True, clock=lambda: 0.0, counts=counts)
    world.append(1, hint=False)
    world.settle()
    world.append(3, hint=False)
    world.append(1, hint=False)
    world.notify(-1)
    world.settle()
    assert (counts.gaps, counts.gap_entries) == (1, 3)
