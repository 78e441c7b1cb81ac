"""What the web process and the workers read alike: where streams and queue are, and which models there are."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from streams.connection import checked_streams_url, checked_url, unverified
from streams.offer import model_names

NOT_AMONG = "OPENAI_MODEL is not among OPENAI_MODELS; expected one of those, or none: then it is the first of them"


class SettingsError(Exception):
    """The environment does not allow a start. The message names every variable at fault and what would be right."""


class ProcessSettings(BaseSettings):
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
    openai_model: str = Field(default="", description="the model for a send that names none")
    openai_models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(model_names)] | None = Field(
        default=None,
        description="names of models with commas between them, OPENAI_MODEL among them: only these are offered",
    )
    rq_queue: str = Field(default="generations", min_length=1, description="the name of the workers' queue")
    generation_timeout: float = Field(
        default=1800.0, gt=0, description="a number of seconds above 0: how long one generation may take as a whole"
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="at least 16 random characters, which whoever reads /metrics sends along",
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

    @classmethod
    def load(cls, process: str) -> Self:
        """Read the environment of this process, which is named in the message. Raises SettingsError."""
        try:
            settings = cls.model_validate({})
        except ValidationError as error:
            complaints = cls._complaints(error)
        else:
            complaints = settings.contradictions()
            if not complaints:
                return settings
        raise SettingsError("\n  ".join([f"{process} cannot start:", *complaints]))

    def contradictions(self) -> list[str]:
        """What is wrong with variables that are right by themselves; a line each."""
        return [NOT_AMONG] if self.openai_models and self.default_model not in self.openai_models else []

    @classmethod
    def complaint(cls, field: str, found: str) -> str:
        """One line about one variable. What it holds is never repeated: it may be a secret."""
        return f"{field.upper()} {found}; expected {cls.model_fields[field].description}"

    @classmethod
    def _complaints(cls, error: ValidationError) -> list[str]:
        return [
            cls.complaint(str(problem["loc"][0]), "is missing" if problem["type"] == "missing" else "is not right")
            for problem in error.errors(include_input=False, include_url=False)
        ]
