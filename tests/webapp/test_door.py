"""Many who ask the database the same at the same time cost one question or two, and nobody gets an old answer."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.support.waiting import wait_until
from webapp.door import Together

MANY = 50


class Asking:
    """Something that is asked: each time it waits to be answered."""

    def __init__(self) -> None:
        self.begun: list[Future[str]] = []

    def __call__(self) -> str:
        answer: Future[str] = Future()
        self.begun.append(answer)
        return answer.result(60)


def together_at(
    count: int, together: Together, asking: Callable[[], str], pool: ThreadPoolExecutor
) -> list[Future[str]]:
    """So many who have asked, and wait."""
    arrived = threading.Semaphore(0)

    def ask() -> str:
        arrived.release()
        return together("key", asking)

    asked = [pool.submit(ask) for _ in range(count)]
    for _ in asked:
        arrived.acquire()
    return asked


def test_who_asks_while_somebody_asks_shares_the_next_question_which_is_begun_later() -> None:
    together, asking = Together(), Asking()
    with ThreadPoolExecutor(MANY + 1) as pool:
        [first] = together_at(1, together, asking, pool)
        wait_until(lambda: asking.begun, what="the first question")
        others = together_at(MANY, together, asking, pool)
        wait_until(lambda: together.waiting("key") == MANY, what="all to wait")
        assert len(asking.begun) == 1
        asking.begun[0].set_result("old")
        assert first.result(60) == "old"
        wait_until(lambda: len(asking.begun) == 2, what="the second question")
        asking.begun[1].set_result("new")
        assert {other.result(60) for other in others} == {"new"}
    assert len(asking.begun) == 2


def test_who_asks_something_else_does_not_wait() -> None:
    together, asking = Together(), Asking()
    with ThreadPoolExecutor(1) as pool:
        [first] = together_at(1, together, asking, pool)
        wait_until(lambda: asking.begun, what="the first question")
        assert together("another", lambda: "at once") == "at once"
        asking.begun[0].set_result("done")
        first.result(60)


def test_an_error_is_everybodys_and_the_next_question_is_asked_anew() -> None:
    together, asking = Together(), Asking()
    with ThreadPoolExecutor(3) as pool:
        [first] = together_at(1, together, asking, pool)
        wait_until(lambda: asking.begun, what="the first question")
        others = together_at(2, together, asking, pool)
        wait_until(lambda: together.waiting("key") == 2, what="all to wait")
        asking.begun[0].set_exception(LookupError("no"))
        with pytest.raises(LookupError):
            first.result(60)
        wait_until(lambda: len(asking.begun) == 2, what="the second question")
        asking.begun[1].set_exception(LookupError("no"))
        for other in others:
            with pytest.raises(LookupError):
                other.result(60)
    assert together("key", lambda: "again") == "again"
    assert together.waiting("key") == 0
