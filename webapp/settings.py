"""What the web process reads from its environment, once, at the start; `streams` and `conversations` read their own."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from jobs.settings import SettingsError
from webapp.account_settings import AccountSettings
from webapp.defence.keys import several, strong
from webapp.defence.limit_settings import LimitSettings

__all__ = ["Settings", "SettingsError", "load_settings"]

BUILT_PAGE = Path(__file__).parent.parent / "frontend" / "dist"


class Settings(LimitSettings, AccountSettings):
    """Its own, how much one may do, where people sign in, and what the workers read too."""

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
    admin_password: SecretStr | None = Field(
        default=None, description="the password of the admin pages; without it there are none"
    )
    admin_reads_answers: bool | None = Field(
        default=None, description="1 where the administrator may read what answers say, or 0"
    )
    heartbeat_interval: float = Field(
        default=20.0, gt=0, description="a number of seconds above 0: how often a page's socket gets a sign of life"
    )
    page_folder: Path = Field(default=BUILT_PAGE, description="the folder of the built page")


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError."""
    return Settings.load("The web process")
