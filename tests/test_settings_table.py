"""What docs/settings.md says is so."""

import ast
import re
from pathlib import Path

from conversations.settings import DEFAULT_ALLOWANCE
from streams import StreamSettings
from telemetry.errors import ErrorSettings
from telemetry.settings import LogSettings
from webapp.settings import Settings as WebSettings
from workers.settings import Settings as WorkerSettings

PROJECT = Path(__file__).parents[1]
SETTINGS = (PROJECT / "docs" / "settings.md").read_text()

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


# What libraries and the standard library are told or tell, by names of theirs.
NOT_OURS = {"OTEL_SERVICE_NAME", "PROMETHEUS_MULTIPROC_DIR"}
WSGI = {"REQUEST_METHOD", "PATH_INFO", "REMOTE_ADDR"}
DEPLOYED = ("conversations", "jobs", "rejoinder", "streams", "telemetry", "webapp", "workers")


def table() -> dict[str, str]:
    """The settings table: variable and default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|", SETTINGS, re.MULTILINE)
    assert len(rows) == len(dict(rows)), "each once"
    return {name: default.strip() for name, default in rows}


def read_of_the_environment(source: str) -> set[str]:
    """The names in `environ.get("NAME")`, `environ["NAME"]` and `function(environ, "NAME")`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=of), args=[ast.Constant(value=str(name)), *_]) if is_environment(of):
                names.add(name)
            case ast.Subscript(value=of, slice=ast.Constant(value=str(name))) if is_environment(of):
                names.add(name)
            case ast.Call(args=arguments) if any(map(is_environment, arguments)):
                names |= {
                    each.value for each in arguments if isinstance(each, ast.Constant) and type(each.value) is str
                }
    return names


def is_environment(node: ast.expr) -> bool:
    return ast.unparse(node) in {"environ", "environment", "os.environ"}


def test_what_is_read_of_the_environment_is_found() -> None:
    source = 'a = os.environ.get("ONE") or environ["TWO"]; b = _one_of(ALL, environ, "THREE"); c = {}.get("FOUR")'
    assert read_of_the_environment(source) == {"ONE", "TWO", "THREE"}


def test_no_variable_is_read_that_the_settings_table_does_not_name() -> None:
    files = [path for folder in DEPLOYED for path in (PROJECT / folder).rglob("*.py")]
    read = set().union(*(read_of_the_environment(path.read_text()) for path in files))
    assert len(read) > 10
    ours = {name for name in read if re.fullmatch(r"[A-Z][A-Z_]+", name) and not name.startswith(("HTTP_", "wsgi"))}
    assert ours - NOT_OURS - WSGI <= set(table())


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
