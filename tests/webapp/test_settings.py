"""What the web process needs to start."""

import secrets
import subprocess
import sys

import pytest

from webapp.settings import SettingsError, load_settings

KEY = "Zq3-fV9x_Lw0TbR7mKc2YhN8pJd5sGu1"
NAMES = [
    "SECRET_KEY",
    "REDIS_URL",
    "ADMIN_PASSWORD",
    "OPENAI_MODEL",
    "OPENAI_MODELS",
    "GENERATION_TIMEOUT",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment with nothing of ours in it."""
    for name in (
        "SECRET_KEY",
        "REDIS_URL",
        "ADMIN_PASSWORD",
        "OPENAI_MODEL",
        "OPENAI_MODELS",
        "GENERATION_TIMEOUT",
        "OIDC_ISSUER",
        "OIDC_CLIENT_ID",
        "OIDC_CLIENT_SECRET",
        "OIDC_NAME",
        "OIDC_REQUIRED",
        "OIDC_SCOPES",
    ):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_key_is_all_that_is_needed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET_KEY", KEY)
    settings = load_settings()
    assert settings.secret_key.get_secret_value() == KEY
    assert KEY not in repr(settings)
    assert (settings.rq_queue, settings.admin_password, settings.openai_model) == ("generations", None, "")


def test_an_empty_variable_counts_as_absent(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET_KEY", KEY)
    environment.setenv("ADMIN_PASSWORD", "")
    assert load_settings().admin_password is None


def test_a_provider_needs_its_three_and_is_called_as_its_host_unless_it_has_a_name(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("SECRET_KEY", KEY)
    assert load_settings().oidc is None
    for name, value in {"ISSUER": "https://id.test/us", "CLIENT_ID": "we", "CLIENT_SECRET": "hush"}.items():
        environment.setenv(f"OIDC_{name}", value)
    oidc = load_settings().oidc
    assert oidc is not None
    assert (oidc.issuer, oidc.name, oidc.required) == ("https://id.test/us", "id.test", False)
    assert "hush" not in repr(oidc)
    environment.setenv("OIDC_NAME", "Example")
    environment.setenv("OIDC_REQUIRED", "1")
    oidc = load_settings().oidc
    assert oidc is not None
    assert (oidc.name, oidc.required) == ("Example", True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is missing; expected at least 32"),
        ("SECRET_KEY", "short", "SECRET_KEY is not right; expected at least 32"),
        ("SECRET_KEY", "Zq3-fV9x_Lw0TbR7mKc2YhN8pJd5sGu", "SECRET_KEY is not right"),
        ("SECRET_KEY", "k" * 64, "SECRET_KEY is not right"),
        ("SECRET_KEY", "0123456789abcdef" * 3, "SECRET_KEY is not right"),
        ("SECRET_KEY", "change me, change me before you deploy", "SECRET_KEY is not right"),
        ("SECRET_KEY", "your-secret-key-of-32-or-more-letters", "SECRET_KEY is not right"),
        ("SECRET_KEY", "django-INSECURE-Zq3-fV9x_Lw0TbR7mKc2YhN8", "SECRET_KEY is not right"),
        ("SECRET_KEY_FALLBACKS", f"{KEY},short", "SECRET_KEY_FALLBACKS is not right; expected earlier keys"),
        ("SENDS_PER_IDENTITY", "often", "SENDS_PER_IDENTITY is not right; expected how many answers"),
        ("SENDS_PER_IDENTITY", "0/minute", "SENDS_PER_IDENTITY is not right"),
        ("CONNECTIONS_PER_ADDRESS", "0", "CONNECTIONS_PER_ADDRESS is not right; expected a whole number"),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES is not right; expected how many proxies"),
        ("REDIS_URL", "localhost", "REDIS_URL is not right; expected redis://"),
        ("GENERATION_TIMEOUT", "-1", "GENERATION_TIMEOUT is not right; expected a number"),
        ("OIDC_ISSUER", "http://id.test", "OIDC_ISSUER is not right; expected the https:// address"),
        ("OIDC_SCOPES", "profile email", "OIDC_SCOPES is not right; expected scopes with spaces"),
        ("OIDC_REQUIRED", "1", "OIDC_ISSUER is missing; expected the https:// address"),
        ("OIDC_CLIENT_ID", "rejoinder", "OIDC_CLIENT_SECRET is missing; expected the secret"),
        ("OPENAI_MODELS", " , ", "OPENAI_MODELS is not right; expected names of models with commas"),
    ],
)
def test_a_variable_that_is_wrong_is_named_with_what_would_be_right(
    environment: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    environment.setenv("SECRET_KEY", KEY)
    environment.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert said in str(refused.value)
    assert not value or f"{value!r}" not in str(refused.value)


def test_random_keys_of_every_usual_kind_are_strong_enough(environment: pytest.MonkeyPatch) -> None:
    for make in (secrets.token_urlsafe, secrets.token_hex, lambda count: secrets.token_hex(count // 2)):
        for _ in range(100):
            environment.setenv("SECRET_KEY", make(32))
            load_settings()


def test_earlier_keys_are_read_and_none_of_them_is_shown(environment: pytest.MonkeyPatch) -> None:
    one, two = KEY[::-1], KEY[5:] + KEY[:5]
    environment.setenv("SECRET_KEY", KEY)
    environment.setenv("SECRET_KEY_FALLBACKS", f"{one}, {two},")
    settings = load_settings()
    assert [each.get_secret_value() for each in settings.secret_key_fallbacks] == [one, two]
    assert one not in repr(settings)


def test_the_first_of_several_models_is_the_default_unless_one_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SECRET_KEY", KEY)
    environment.setenv("OPENAI_MODELS", "small, large")
    assert (load_settings().openai_models, load_settings().default_model) == (("small", "large"), "small")
    environment.setenv("OPENAI_MODEL", "large")
    assert load_settings().default_model == "large"
    environment.setenv("OPENAI_MODEL", "huge")
    with pytest.raises(SettingsError, match="OPENAI_MODEL is not among OPENAI_MODELS; expected one of those"):
        load_settings()


@pytest.mark.timeout(200)
def test_the_web_process_needs_neither_the_model_nor_the_workers() -> None:
    program = "import sys, webapp.app; sys.exit(bool({'openai', 'workers'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=180)
