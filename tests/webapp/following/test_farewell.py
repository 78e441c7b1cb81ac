"""When clients come back that were told of a restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.following.farewell import EACH, LONGEST, SPREAD, moments

chances = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 2_000), chances)
def test_each_has_a_share_of_the_time_to_itself_and_all_are_back_by_its_end(clients: int, chance: float) -> None:
    waits = list(moments(clients, lambda: chance))
    spread = max(SPREAD, EACH * clients)
    for place, wait in enumerate(waits):
        assert place / clients * spread * 1000 - 1 <= wait <= (place + 1) / clients * spread * 1000 + 1


def test_the_place_within_a_share_is_a_matter_of_chance() -> None:
    assert list(moments(2, lambda: 0.0)) == [0, 1000]
    assert list(moments(2, lambda: 0.5)) == [500, 1500]


@pytest.mark.parametrize(("clients", "last"), [(1, SPREAD), (2_000, 8.0), (100_000, LONGEST)])
def test_the_more_there_are_the_longer_it_takes_but_nobody_waits_for_ever(clients: int, last: float) -> None:
    assert max(moments(clients, lambda: 0.999_999)) == pytest.approx(last * 1000, rel=0.01)


def test_nobody_is_told_anything_where_nobody_is() -> None:
    assert list(moments(0, lambda: 0.5)) == []
