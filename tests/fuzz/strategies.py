"""What a hostile, broken or newer program might send."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st


def examples(count: int) -> settings:
    """So many by default, and as many more as the profile of tests/conftest.py wants."""
    return settings(max_examples=count * settings().max_examples // 100)


NAMES = ["choices", "delta", "content", "reasoning", "reasoning_content", "finish_reason", "usage", "error", "message"]

text = st.text(st.characters(codec=None), max_size=20)
"""With halves of surrogate pairs, NUL, and everything else that a str can hold."""

numbers = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([2**31 - 1, 2**31, 2**53, 2**63, -(2**63) - 1, 10**30, 10**4000]),
    st.floats(),  # NaN and the infinities too: Python reads and writes them as if they were JSON
)

scalars = st.one_of(st.none(), st.booleans(), numbers, text)


def values(names: Sequence[str] = NAMES) -> st.SearchStrategy[Any]:
    """Any JSON, whose members often have names that mean something."""
    keys = st.one_of(st.sampled_from(names), text)
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
        max_leaves=6,
    )


@st.composite
def mutated(draw: st.DrawFn, whole: Any, names: Sequence[str] = NAMES) -> Any:
    """A right value in which something, at any depth, is something else, missing, or too much."""
    places = list(_places(whole))
    place = draw(st.sampled_from(places))
    what = draw(st.sampled_from(["replace", "replace", "drop", "add"]))
    wrong = draw(values(names))

    def change(value: Any) -> Any:
        if what == "add" and isinstance(value, dict):
            return {**value, draw(st.one_of(st.sampled_from(names), text)): wrong}
        if what == "drop" and isinstance(value, dict) and value:
            left_out = draw(st.sampled_from(sorted(value)))
            return {name: each for name, each in value.items() if name != left_out}
        return wrong

    return _changed(whole, place, change)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from _places(each, (*path, key))


def _changed(value: Any, place: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not place:
        return change(value)
    copy = value.copy()
    copy[place[0]] = _changed(value[place[0]], place[1:], change)
    return copy


def written(value: Any) -> str:
    """As JSON, in ASCII; what JSON does not know (NaN) as Python writes it. Numbers of any length."""
    return json.dumps(value)


@st.composite
def corrupted(draw: st.DrawFn, data: bytes) -> bytes:
    """Right bytes, some of which are lost, doubled, or something else."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 12)))
        data = data[:start] + draw(st.one_of(st.binary(max_size=6), st.just(data[start:stop] * 2))) + data[stop:]
    return data
