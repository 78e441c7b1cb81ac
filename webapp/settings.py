"""What the web process reads from its environment, once, at the start; `streams` and `conversations` read their own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from streams.connection import checked_streams_url, checked_url, unverified
from streams.offer import model_names
from webapp.keys import several, strong
from webapp.limit_settings import LimitSettings

BUILT_PAGE = Path(__file__).parent.parent / "frontend" / "dist"


NEEDED = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")  # together, or none of them
PROVIDERS_OWN = {*NEEDED, "oidc_required"}
NOT_AMONG = "  OPENAI_MODEL is not among OPENAI_MODELS; expected one of those, or none: then it is the first of them"


@dataclass(frozen=True, slots=True)
class Oidc:
    """The provider at which people sign in."""

    issuer: str
    client_id: str
    client_secret: SecretStr
    name: str
    scopes: str
    required: bool


def _issuer(url: str) -> str:
    """Only to this machine does one go without TLS. The message does not matter: the field's description is shown."""
    parts = urlsplit(url)
    here = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or not (parts.scheme == "https" or here):
        raise ValueError("no such address")
    return url


def _scopes(names: str) -> str:
    if "openid" not in names.split():
        raise ValueError("not OpenID Connect")
    return names


class SettingsError(Exception):
    """The environment does not allow a start. The message names every variable at fault and what would be right."""


class Settings(LimitSettings):
    """Each field is the environment variable of the same name in capitals. An empty variable counts as absent."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    secret_key: Annotated[SecretStr, AfterValidator(strong)] = Field(
        description="at least 32 random characters that sign the cookies; "
        "`python3 -c 'import secrets; print(secrets.token_urlsafe(32))'` prints some",
    )
    secret_key_fallbacks: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(strong)], ...], NoDecode, BeforeValidator(several)
    ] = Field(
        default=(),
        description="earlier keys with commas between them, each as SECRET_KEY: what they signed is still good",
    )
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
    admin_password: SecretStr | None = Field(
        default=None, description="the password of the admin pages; without it there are none"
    )
    admin_reads_answers: bool | None = Field(
        default=None, description="1 where the administrator may read what answers say, or 0"
    )
    oidc_issuer: Annotated[str, AfterValidator(_issuer)] | None = Field(
        default=None,
        description="the https:// address of the OpenID provider, as its discovery document says it, "
        "together with OIDC_CLIENT_ID and OIDC_CLIENT_SECRET",
    )
    oidc_client_id: str | None = Field(
        default=None, description="by what the OpenID provider of OIDC_ISSUER knows this application"
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="the secret that the OpenID provider of OIDC_ISSUER gave for OIDC_CLIENT_ID"
    )
    oidc_name: str | None = Field(default=None, max_length=40, description="at most 40 characters: sign in with …")
    oidc_scopes: Annotated[str, AfterValidator(_scopes)] = Field(
        default="openid profile email", description="scopes with spaces between them, openid among them"
    )
    oidc_required: bool | None = Field(default=None, description="1 where only people with an account may write, or 0")
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="at least 16 random characters, which whoever reads /metrics sends along",
    )
    rq_queue: str = Field(default="generations", min_length=1, description="the name of the workers' queue")
    generation_timeout: float = Field(
        default=1800.0, gt=0, description="a number of seconds above 0: how long one generation may take as a whole"
    )
    heartbeat_interval: float = Field(
        default=20.0, gt=0, description="a number of seconds above 0: how often a page's socket gets a sign of life"
    )
    page_folder: Path = Field(default=BUILT_PAGE, description="the folder of the built page")

    @field_validator("redis_url", "streams_redis_url")
    @classmethod
    def _verified_or_not(cls, url: str | None, info: ValidationInfo) -> str | None:
        return unverified(url) if url and info.data.get("redis_tls_verify") == "none" else url

    @property
    def streams_url(self) -> str:
        """STREAMS_REDIS_URL, or where that is absent REDIS_URL."""
        return self.streams_redis_url or self.redis_url

    @property
    def oidc(self) -> Oidc | None:
        """The provider at which people sign in, if there is one."""
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret):
            return None
        name = self.oidc_name or urlsplit(self.oidc_issuer).hostname or ""
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        return Oidc(*given, name, self.oidc_scopes, bool(self.oidc_required))

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
    if halves := _half_a_provider(settings):
        raise SettingsError("\n".join(["The web process cannot start:", *halves]))
    return settings


def _half_a_provider(settings: Settings) -> list[str]:
    """Some of its settings were given, and others forgotten: nobody could sign in, or everybody need not."""
    if not settings.model_fields_set & PROVIDERS_OWN or settings.oidc:
        return []
    return [_complaint(field, "is missing") for field in NEEDED if getattr(settings, field) is None]


def _complaint(field: str, found: str) -> str:
    return f"  {field.upper()} {found}; expected {Settings.model_fields[field].description}"


def _complaints(error: ValidationError) -> list[str]:
    """One line for each variable. What a variable holds is never repeated: it may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        found = "is missing" if problem["type"] == "missing" else "is not right"
        lines.append(_complaint(field, found))
    return lines
