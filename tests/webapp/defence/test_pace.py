"""How fast is too fast."""

from itertools import repeat

from webapp.defence.pace import FEW, Pace, Paces


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


def test_each_name_has_a_pace_of_its_own_and_is_told_how_long_to_wait() -> None:
    clock = Clock()
    paces = Paces(0.5, 4.0, clock)
    assert [paces.late("ada") for _ in range(4)] == [0, 0, 2, 2]
    assert paces.late("eve") == 0
    clock.now += 2
    assert [paces.late("ada") for _ in range(2)] == [0, 2]


def test_so_many_in_so_long_are_let_in_at_any_time_of_the_clock() -> None:
    for now in (0.1, 1e6 / 3, 1e9 / 7):
        clock = Clock()
        clock.now = now
        paces = Paces(300 / 60, 60, clock)
        assert [paces.late("ada") > 0 for _ in range(301)] == [*repeat(False, 300), True]


def test_of_many_who_came_once_none_is_remembered_for_ever() -> None:
    clock = Clock()
    paces = Paces(10, 2.0, clock)
    for number in range(20 * FEW):
        clock.now += 0.01
        paces.late(str(number))
        assert len(paces) <= 2 * FEW
    assert paces.late(str(number)) == 0
