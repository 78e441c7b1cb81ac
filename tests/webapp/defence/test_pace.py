"""How fast is too fast."""

from itertools import repeat

from webapp.defence.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_who_keeps_the_rate_may_go_on_for_ever() -> None:
    clock = Clock()
    pace = Pace(10, 2.0, clock)
    for _ in range(1_000):
        assert pace.keeps()
        clock.now += 0.1


def test_so_much_may_come_at_once_and_no_more() -> None:
    pace = Pace(10, 2.0, Clock())
    assert [pace.keeps() for _ in range(21)] == [*repeat(True, 20), False]


def test_who_has_hurried_may_go_on_after_a_rest() -> None:
    clock = Clock()
    pace = Pace(10, 2.0, clock)
    while pace.keeps():
        pass
    clock.now += 10
    assert [pace.keeps() for _ in range(20)] == [*repeat(True, 20)]


def test_who_goes_on_too_fast_is_noticed() -> None:
    clock = Clock()
    pace = Pace(10, 2.0, clock)

    def kept() -> bool:
        clock.now += 0.05  # twice too fast
        return pace.keeps()

    assert not all(kept() for _ in range(100))
