"""What the worker reads from its environment, once, at the start; `streams` and `conversations` read their own."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from streams.connection import checked_streams_url, checked_url, unverified
from streams.offer import model_names
from workers.continuing import ContinueWith

NO_TITLES = "none"  # TITLE_MODEL, where nobody is asked for a title

NO_MODEL = (
    "  OPENAI_API_KEY and OPENAI_BASE_URL are both missing; expected OPENAI_API_KEY for OpenAI's own models, or "
    "OPENAI_BASE_URL for any other server that speaks its protocol, for example http://localhost:11434/v1 for Ollama"
)


NOT_AMONG = "  OPENAI_MODEL is not among OPENAI_MODELS; expected one of those, or none: then it is the first of them"


class SettingsError(Exception):
    """The environment does not allow a start. The message names every variable at fault and what would be right."""


class Settings(BaseSettings):
    """Each field is the environment variable of the same name in capitals. An empty variable counts as absent."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    redis_tls_verify: Literal["full", "none"] = Field(
        default="full", description="full, or none for a Redis whose certificate is self-signed, as Heroku's is"
    )
    redis_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="redis://localhost:6379/0",
        description="redis://host:port/db, rediss://… for TLS, unix:///path/to/socket, or "
        "redis+sentinel://host:26379,host:26379/service/db",
    )
    streams_redis_url: Annotated[str, AfterValidator(checked_streams_url)] | None = Field(
        default=None,
        description="where streams are, if not at REDIS_URL: as there, or redis+cluster://host:port,host:port",
    )
    openai_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="an OpenAI-compatible server, for example http://localhost:11434/v1; absent: OpenAI's own",
    )
    openai_api_key: SecretStr | None = Field(default=None, description="the key for that server, if it wants one")
    openai_model: str = Field(default="gpt-5-mini", description="the model for a send that names none")
    openai_models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(model_names)] | None = Field(
        default=None,
        description="names of models with commas between them, OPENAI_MODEL among them: only these are offered",
    )
    continue_with: ContinueWith = Field(
        default=ContinueWith.INSTRUCTION,
        description="instruction: a model is asked in words to go on with an answer that was cut off; "
        "prefix: its server goes on from a last message of the assistant's, as llama.cpp does",
    )
    title_model: str | None = Field(
        default=None,
        description=f"the model that names a conversation after its first answer; absent: the one that answered; "
        f"{NO_TITLES}: conversations keep the first words of their first question",
    )
    model_attempts: int = Field(
        default=4,
        ge=1,
        description="a whole number from 1: how often a model is asked that refuses for a passing reason",
    )
    connect_timeout: float = Field(
        default=10.0, gt=0, description="a number of seconds above 0: how long to wait for a connection to the model"
    )
    first_token_timeout: float = Field(
        default=120.0, gt=0, description="a number of seconds above 0: how long an answer may take to begin"
    )
    silence_timeout: float = Field(
        default=60.0, gt=0, description="a number of seconds above 0: how long a model may pause in an answer"
    )
    generation_timeout: float = Field(
        default=1800.0, gt=0, description="a number of seconds above 0: how long one generation may take as a whole"
    )
    checkpoint_interval: float = Field(
        default=10.0, gt=0, description="a number of seconds above 0: how often unfinished text goes to the database"
    )
    save_patience: float = Field(
        default=600.0,
        gt=0,
        description="a number of seconds above 0: how long a finished answer waits for a database that is away",
    )
    rq_queue: str = Field(default="generations", min_length=1, description="the name of the queue to serve")
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="a port of its own for each worker on a machine, where Prometheus reads /metrics",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="at least 16 random characters, which whoever reads /metrics sends along",
    )
    worker_concurrency: int = Field(
        default=200, ge=1, description="a whole number from 1: how many generations run at once in this process"
    )
    shutdown_grace: float = Field(
        default=25.0,
        ge=0,
        description="a number of seconds from 0: how long running generations may go on after SIGTERM",
    )

    @field_validator("redis_url", "streams_redis_url")
    @classmethod
    def _verified_or_not(cls, url: str | None, info: ValidationInfo) -> str | None:
        return unverified(url) if url and info.data.get("redis_tls_verify") == "none" else url

    @property
    def streams_url(self) -> str:
        """STREAMS_REDIS_URL, or where that is absent REDIS_URL."""
        return self.streams_redis_url or self.redis_url

    @property
    def default_model(self) -> str:
        """OPENAI_MODEL, or where that is absent the first of OPENAI_MODELS."""
        if self.openai_models and "openai_model" not in self.model_fields_set:
            return self.openai_models[0]
        return self.openai_model


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError."""
    try:
        settings = Settings.model_validate({})
    except ValidationError as error:
        raise SettingsError("\n".join(["The worker cannot start:", *_complaints(error)])) from None
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise SettingsError(f"The worker cannot start:\n{NO_MODEL}")
    if settings.openai_models and settings.default_model not in settings.openai_models:
        raise SettingsError(f"The worker cannot start:\n{NOT_AMONG}")
    return settings


def _complaints(error: ValidationError) -> list[str]:
    """One line for each variable. What a variable holds is never repeated: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        expected = Settings.model_fields[field].description
        lines.append(f"  {field.upper()} is not right ({problem['msg']}); expected {expected}")
    return lines
