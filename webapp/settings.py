"""What the web process reads from its environment, once, at the start; `streams` and `conversations` read their own."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from streams.connection import checked_url, unverified
from streams.offer import model_names
from webapp.limit_settings import LimitSettings

BUILT_PAGE = Path(__file__).parent.parent / "frontend" / "dist"


NOT_AMONG = "  OPENAI_MODEL is not among OPENAI_MODELS; expected one of those, or none: then it is the first of them"


class SettingsError(Exception):
    """The environment does not allow a start. The message names every variable at fault and what would be right."""


class Settings(LimitSettings):
    """Each field is the environment variable of the same name in capitals. An empty variable counts as absent."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    secret_key: SecretStr = Field(
        min_length=32,
        description="at least 32 random characters that sign the cookies; "
        "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'` prints some",
    )
    redis_tls_verify: Literal["full", "none"] = Field(
        default="full", description="full, or none for a Redis whose certificate is self-signed, as Heroku's is"
    )
    redis_url: Annotated[str, AfterValidator(checked_url)] = Field(
        default="redis://localhost:6379/0",
        description="redis://host:port/db, rediss://… for TLS, or unix:///path/to/socket",
    )
    openai_model: str = Field(default="", description="the model for a send that names none")
    openai_models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(model_names)] | None = Field(
        default=None,
        description="names of models with commas between them, OPENAI_MODEL among them: only these are offered",
    )
    admin_password: SecretStr | None = Field(
        default=None, description="the password of the admin pages; without it there are none"
    )
    rq_queue: str = Field(default="generations", min_length=1, description="the name of the workers' queue")
    generation_timeout: float = Field(
        default=1800.0, gt=0, description="a number of seconds above 0: how long one generation may take as a whole"
    )
    heartbeat_interval: float = Field(
        default=20.0, gt=0, description="a number of seconds above 0: how often a page's socket gets a sign of life"
    )
    page_folder: Path = Field(default=BUILT_PAGE, description="the folder of the built page")

    @field_validator("redis_url")
    @classmethod
    def _verified_or_not(cls, url: str, info: ValidationInfo) -> str:
        return unverified(url) if info.data.get("redis_tls_verify") == "none" else url

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
        raise SettingsError("\n".join(["The web process cannot start:", *_complaints(error)])) from None
    if settings.openai_models and settings.default_model not in settings.openai_models:
        raise SettingsError(f"The web process cannot start:\n{NOT_AMONG}")
    return settings


def _complaints(error: ValidationError) -> list[str]:
    """One line for each variable. What a variable holds is never repeated: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        found = "is missing" if problem["type"] == "missing" else "is not right"
        lines.append(f"  {field.upper()} {found}; expected {Settings.model_fields[field].description}")
    return lines
