"""The load client counts what came, and can tell what did not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.growth import slope
from benchmarks.load import Load, Plan, Report, Target, middle_and_late

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@contextmanager
def server(*pieces: bytes, asks_twice: bool = False) -> Iterator[int]:
    """Answers every connection with these pieces, and closes it. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    assert client.recv(100) == b"hello"
                    client.sendall(HEAD)
                    if asks_twice:
                        assert client.recv(100) == b"follow"
                    for piece in pieces:
                        client.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def word(number: int) -> bytes:
    return f"{number}@{time.time():.6f} ".encode()


def run(*pieces: bytes, words: int = 3, count: int = 2, first: int = 0) -> Report:
    with server(*pieces) as port:
        return Load(Plan([Target(port, [b"hello"], count, first)], words)).run()


def test_what_came_is_counted_and_timed() -> None:
    report = run(word(0), b"frame " + word(1), word(2))
    assert (report.connections, report.whole, report.deliveries) == (2, 2, 4), "the first word of each comes before"
    assert 0 <= report.p50 <= report.p99 <= report.longest
    assert report.bytes == 2 * (len(HEAD) + len(word(0)) + len(b"frame ") + 2 * len(word(0)))


@pytest.mark.parametrize(
    "numbers",
    [[0, 2], [0, 1, 1, 2], [0, 2, 1], [0, 1], [1, 2], []],
    ids=["a gap", "a repetition", "another order", "no last", "no first", "nothing"],
)
def test_a_connection_that_lacks_something_is_not_whole(numbers: list[int]) -> None:
    assert run(*map(word, numbers)).whole == 0


def test_who_comes_late_needs_what_is_behind_its_position() -> None:
    assert run(word(1), word(2), first=1).whole == 2


def test_a_word_that_comes_in_two_pieces_is_one() -> None:
    last = word(2)
    assert run(word(0), word(1), last[:4], last[4:]).whole == 2


def test_the_second_opening_is_sent_when_the_first_was_answered() -> None:
    with server(word(0), word(1), word(2), asks_twice=True) as port:
        assert Load(Plan([Target(port, [b"hello", b"follow"], 3)], 3)).run().whole == 3


def test_a_plan_survives_its_way_to_the_other_process() -> None:
    plan = Plan([Target(1, [b"\x81\xff", b""], 5, 7)], 10, last="end")
    assert Plan.loads(plan.dumps()) == plan


def test_percentiles_of_few_values_are_the_largest_of_them() -> None:
    assert middle_and_late([]) == (0.0, 0.0)
    assert middle_and_late([3.0]) == (3.0, 3.0)
    assert middle_and_late([float(number) for number in range(101)]) == (50.0, 99.0)


@pytest.mark.parametrize(("power", "expected"), [(0, 0.0), (1, 1.0), (2, 2.0)])
def test_a_slope_is_the_power_of_the_load(power: int, expected: float) -> None:
    assert slope([(load, 3.0 * load**power) for load in (1, 10, 100)]) == pytest.approx(expected)
