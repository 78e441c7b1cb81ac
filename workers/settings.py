"""What the worker reads from its environment, once, at the start; `streams` and `conversations` read their own."""

from pydantic import Field, SecretStr

from jobs.settings import ProcessSettings, SettingsError
from workers.continuing import ContinueWith

__all__ = ["Settings", "SettingsError", "load_settings"]

NO_TITLES = "none"  # TITLE_MODEL, where nobody is asked for a title

NO_MODEL = (
    "OPENAI_API_KEY and OPENAI_BASE_URL are both missing; expected OPENAI_API_KEY for OpenAI's own models, or "
    "OPENAI_BASE_URL for any other server that speaks its protocol, for example http://localhost:11434/v1 for Ollama"
)


class Settings(ProcessSettings):
    """Its own, and what the web process reads too."""

    openai_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="an OpenAI-compatible server, for example http://localhost:11434/v1; absent: OpenAI's own",
    )
    openai_api_key: SecretStr | None = Field(default=None, description="the key for that server, if it wants one")
    openai_model: str = Field(default="gpt-5-mini", description="the model for a send that names none")
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
    checkpoint_interval: float = Field(
        default=10.0, gt=0, description="a number of seconds above 0: how often unfinished text goes to the database"
    )
    save_patience: float = Field(
        default=600.0,
        gt=0,
        description="a number of seconds above 0: how long a finished answer waits for a database that is away",
    )
    metrics_port: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="a port of its own for each worker on a machine, where Prometheus reads /metrics",
    )
    worker_concurrency: int = Field(
        default=200, ge=1, description="a whole number from 1: how many generations run at once in this process"
    )
    shutdown_grace: float = Field(
        default=25.0,
        ge=0,
        description="a number of seconds from 0: how long running generations may go on after SIGTERM",
    )

    def contradictions(self) -> list[str]:
        """Also where there is no model's server."""
        nobody = [] if self.openai_api_key or self.openai_base_url else [NO_MODEL]
        return super().contradictions() + nobody


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError."""
    return Settings.load("The worker")
