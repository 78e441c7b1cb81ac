"""Settings are read once, and an error names the variable and what would be right."""

import pytest

from streams import StreamSettings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert StreamSettings.from_env({}) == StreamSettings()
    assert StreamSettings.from_env({"STREAM_LEASE": ""}) == StreamSettings()


def test_what_is_set_is_taken() -> None:
    assert StreamSettings.from_env({"STREAM_LEASE": "2.5"}).lease == 2.5


@pytest.mark.parametrize("wrong", ["soon", "0", "-1", "nan", "inf"])
def test_nonsense_is_refused_by_name_with_an_example(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"STREAM_RETENTION=.*expected a number above 0, for example 3600"):
        StreamSettings.from_env({"STREAM_RETENTION": wrong})


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)STREAM_LEASE='0'.*\n.*MAX_ANSWER_BYTES='much'"):
        StreamSettings.from_env({"STREAM_LEASE": "0", "MAX_ANSWER_BYTES": "much"})
