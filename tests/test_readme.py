"""What the README says is so."""

import re
from pathlib import Path

from conversations.settings import DEFAULT_ALLOWANCE
from streams import StreamSettings
from telemetry.errors import ErrorSettings
from telemetry.settings import LogSettings
from webapp.settings import Settings as WebSettings
from workers.settings import Settings as WorkerSettings

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()

# Read by gunicorn's configuration, by streams/ and by conversations/, which have no pydantic to ask.
ELSEWHERE = {
    "PORT": "8000",
    "WEB_CONCURRENCY": "1",
    "ACCESS_LOG": None,
    "LOG_LEVEL": LogSettings().level,
    "LOG_FORMAT": None,
    "SENTRY_DSN": None,
    "SENTRY_ENVIRONMENT": ErrorSettings().environment,
    "SENTRY_RELEASE": None,
    "OTEL_EXPORTER_OTLP_ENDPOINT": None,
    "LOG_CONVERSATIONS": None,
    "DATABASE_URL": "sqlite:///.local/rejoinder.sqlite3",
    "DATABASE_POOL_SIZE": "5",
    "RUNNING_PER_IDENTITY": str(DEFAULT_ALLOWANCE.running),
    "DAILY_TOKENS_PER_IDENTITY": "none",
    "DAILY_TOKENS": "none",
    "MAX_CONVERSATION": str(DEFAULT_ALLOWANCE.conversation),
    "STREAM_LEASE": f"{StreamSettings().lease:g}",
    "STREAM_QUEUE_LIMIT": f"{StreamSettings().queue_limit:g}",
    "STREAM_RETENTION": f"{StreamSettings().retention:g}",
    "STREAM_UNSAVED_RETENTION": f"{StreamSettings().unsaved_retention:g}",
    "MAX_ANSWER_BYTES": str(StreamSettings().max_answer_bytes),
}


def table() -> dict[str, str]:
    """The settings table: variable and default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|", README, re.MULTILINE)
    return {name: default.strip() for name, default in rows}


def test_the_settings_table_names_every_variable_and_no_other() -> None:
    known = {name.upper() for settings in (WebSettings, WorkerSettings) for name in settings.model_fields}
    assert set(table()) == known | set(ELSEWHERE)


def test_the_settings_table_tells_the_defaults() -> None:
    defaults = {name.upper(): field.default for name, field in WebSettings.model_fields.items()}
    defaults |= {name.upper(): field.default for name, field in WorkerSettings.model_fields.items()}
    for name, told in table().items():
        default = ELSEWHERE.get(name, defaults.get(name))
        if isinstance(default, float):
            default = f"{default:g}"
        if name in {"SECRET_KEY", "PAGE_FOLDER", "OPENAI_BASE_URL"} or default in (None, ()):
            continue  # what it is told to be is no value
        assert told.startswith(f"`{default}`"), name


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (PROJECT / target).exists(), target
