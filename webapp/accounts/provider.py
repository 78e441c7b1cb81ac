"""The provider of identities, asked through Authlib: authorization code, PKCE, state and nonce.

Rule: everything of HTTP and of tokens ends here. What comes out is a Profile that was checked: the token's signature,
who issued it and for whom, its time, and that it answers this browser's question.
"""

import logging
import time

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import OAuth, OAuthError
from flask import Flask, request, session
from joserfc.errors import JoseError
from requests import RequestException

from conversations import Profile
from webapp.account_settings import Oidc
from webapp.accounts.login import Declined, Login, ProviderAway, Refused
from webapp.defence.destinations import own_path

log = logging.getLogger(__name__)

NAME = "oidc"
STATES = f"_state_{NAME}_"  # how Authlib's entries in the session begin
MOST_STATES = 3  # logins begun in one browser and not finished; a cookie has room for few
PATIENCE = 10.0  # seconds for each answer of the provider
LEEWAY = 60  # seconds that its clock and ours may differ


class Provider:
    """One provider. It is asked for its addresses and keys when they are needed first."""

    def __init__(self, app: Flask, settings: Oidc) -> None:
        self.name = settings.name
        self.required = settings.required  # for whoever writes
        self._issuer = settings.issuer
        self._client_id = settings.client_id
        self._client = OAuth(app).register(
            NAME,
            client_id=settings.client_id,
            client_secret=settings.client_secret.get_secret_value(),
            server_metadata_url=f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.scopes,
                "code_challenge_method": "S256",
                "default_timeout": PATIENCE,
                "leeway": 0,  # Authlib would take a token that lives a minute, as Keycloak's do, for one that is over
            },
        )

    def begin(self, callback: str, destination: str) -> str:
        """Where to send the browser. What its answer must match is kept in the browser's session.

        Raises ProviderAway, Refused.
        """
        with _Errors():
            self._known()
            asked = self._client.create_authorization_url(callback)
            url = str(asked.pop("url"))
        for old in _states()[: -MOST_STATES + 1]:
            del session[old]
        self._client.save_authorize_data(redirect_uri=callback, destination=destination, **asked)
        return url

    def finish(self) -> Login:
        """What the browser brought back. Raises ProviderAway, Refused, Declined."""
        begun = self._client.framework.get_state_data(session, request.args.get("state", "")) or {}
        with _Errors():
            metadata = self._known()
            # Authlib's own options leave out for whom the token is.
            must = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._client_id},
                "sub": {"essential": True},
            }
            token = self._client.authorize_access_token(claims_options=must, leeway=LEEWAY)
            claims = token.get("userinfo")  # of the ID token
            if claims is None:
                raise Refused("there is no ID token")
            told = claims if claims.get("name") else {**claims, **self._more(token, claims["sub"])}
        return Login(_profile(self._issuer, told), own_path(begun.get("destination")))

    def farewell(self, home: str) -> str | None:
        """Where a browser is signed out of the provider too, and sent home from; None where that is not possible."""
        try:
            with _Errors():
                self._known()
                leaving = self._client.create_logout_url(post_logout_redirect_uri=home, client_id=self._client_id)
        except (ProviderAway, Refused) as error:
            log.info("signed out here only: %s", error)
            return None
        return str(leaving["url"])

    def _known(self) -> dict[str, str]:
        metadata: dict[str, str] = self._client.load_server_metadata()
        if metadata.get("issuer") != self._issuer:
            raise Refused("the provider's discovery document is of another issuer than OIDC_ISSUER")
        return metadata

    def _more(self, token: dict[str, str], subject: str) -> dict[str, str]:
        """Many providers tell a name only when asked once more. Without it one is signed in too."""
        if not self._client.server_metadata.get("userinfo_endpoint"):
            return {}
        try:
            told: dict[str, str] = self._client.userinfo(token=token)
        except (RequestException, AuthlibBaseError, ValueError) as error:
            log.warning("the provider tells no name: %s", error)
            return {}
        return told if told.get("sub") == subject else {}


def _profile(issuer: str, told: dict[str, str]) -> Profile:
    email = told.get("email") or None
    name = told.get("name") or told.get("preferred_username") or (email or "").partition("@")[0]
    return Profile(issuer, str(told["sub"]), str(name), email and str(email))


def _states() -> list[str]:
    """The logins that this browser has begun, the oldest first. Those that are over by their time are dropped."""
    begun = {key: session[key] for key in list(session) if key.startswith(STATES)}
    for key, state in begun.items():
        if state["exp"] < time.time():
            del session[key]
    return sorted((key for key in begun if key in session), key=lambda key: float(begun[key]["exp"]))


class _Errors:
    """What the libraries raise, as ours."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, RequestException):
            raise ProviderAway(str(error)) from error
        if isinstance(error, OAuthError) and "error" in request.args:
            raise Declined(f"the provider says {error.error}") from error
        if isinstance(error, AuthlibBaseError | JoseError | ValueError | KeyError | TypeError | RuntimeError):
            raise Refused(f"{type(error).__name__}: {error}") from error
