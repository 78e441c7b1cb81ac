"""A worker that cannot start says which variable is at fault, and what would be right."""

from pathlib import Path

import pytest

from tests.support.worker_process import started_worker
from workers.settings import SettingsError, load_settings

NAMES = ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_MODELS", "TITLE_MODEL"]
NAMES += ["REDIS_URL", "WORKER_CONCURRENCY", "SILENCE_TIMEOUT"]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """None of ours set, whatever the machine has."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_key_or_a_url_is_enough(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1")
    assert load_settings().worker_concurrency == 200
    environment.delenv("OPENAI_BASE_URL")
    environment.setenv("OPENAI_API_KEY", "sk-1")
    assert load_settings().openai_base_url is None


def test_the_first_of_several_models_is_the_default_unless_one_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENAI_API_KEY", "sk-1")
    assert (load_settings().openai_models, load_settings().default_model) == (None, "gpt-5-mini")
    environment.setenv("OPENAI_MODELS", "small, large")
    assert (load_settings().openai_models, load_settings().default_model) == (("small", "large"), "small")
    environment.setenv("OPENAI_MODEL", "huge")
    with pytest.raises(SettingsError, match="OPENAI_MODEL is not among OPENAI_MODELS; expected one of those"):
        load_settings()


def test_without_a_model_the_worker_says_what_to_set(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OPENAI_API_KEY", "")  # empty counts as absent
    with pytest.raises(SettingsError, match="OPENAI_API_KEY and OPENAI_BASE_URL are both missing; expected"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OPENAI_BASE_URL", "localhost:11434", "http://localhost:11434/v1"),
        ("REDIS_URL", "localhost:6379", "redis://host:port/db"),
        ("WORKER_CONCURRENCY", "0", "a whole number from 1"),
        ("SILENCE_TIMEOUT", "soon", "a number of seconds above 0"),
    ],
)
def test_every_wrong_value_is_named_with_what_would_be_right(
    environment: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    environment.setenv("OPENAI_API_KEY", "sk-1")
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert f"  {name} is not right" in str(error.value)
    assert expected in str(error.value)
    assert value not in str(error.value).replace(expected, "")


@pytest.mark.timeout(300)
def test_the_process_prints_it_and_leaves_with_2(tmp_path: Path) -> None:
    with started_worker(tmp_path, REDIS_URL="redis://localhost") as worker:
        assert worker.wait(240) == 2
    assert worker.log.startswith("The worker cannot start:\n  OPENAI_API_KEY and OPENAI_BASE_URL are both missing")
