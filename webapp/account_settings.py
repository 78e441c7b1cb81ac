"""Where people sign in, as the environment says it: all of it, or nothing."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from jobs.settings import ProcessSettings

NEEDED = ("oidc_issuer", "oidc_client_id", "oidc_client_secret")  # together, or none of them
PROVIDERS_OWN = {*NEEDED, "oidc_required"}


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


class AccountSettings(ProcessSettings):
    """Those whose names begin with OIDC."""

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

    @property
    def oidc(self) -> Oidc | None:
        """The provider at which people sign in, if there is one."""
        if not (self.oidc_issuer and self.oidc_client_id and self.oidc_client_secret):
            return None
        name = self.oidc_name or urlsplit(self.oidc_issuer).hostname or ""
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        return Oidc(*given, name, self.oidc_scopes, bool(self.oidc_required))

    def contradictions(self) -> list[str]:
        """Also a provider of which some was given, and the rest forgotten: nobody could sign in, or nobody need to."""
        half = self.model_fields_set & PROVIDERS_OWN and not self.oidc
        missing = [self.complaint(field, "is missing") for field in NEEDED if half and getattr(self, field) is None]
        return super().contradictions() + missing
