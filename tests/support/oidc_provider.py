"""A provider of identities (OpenID Connect) on the loopback, over real HTTP, that does as a test says: right or wrong.

    with running_oidc_provider() as provider:     # provider.issuer is what OIDC_ISSUER wants
        provider.person = {"sub": "4711", "name": "Ada"}
        provider.misbehave(claims={"aud": "somebody else"})

It signs everybody in at once as `person`, without asking, and insists on what it may insist on: the client's secret,
its address, PKCE, and that a code is used once.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.support.serving import serving

Json = dict[str, Any]
CLIENT_ID, CLIENT_SECRET = "rejoinder", "only for tests"


@dataclass
class Behaviour:
    """What is otherwise than it should be."""

    claims: Json = field(default_factory=dict)  # in place of the right ones; None: left out
    foreign_key: bool = False  # the token is signed by somebody else who says the same key id
    unsigned: bool = False  # …by nobody
    no_token: bool = False
    state: str | None = None  # in place of the browser's
    error: str | None = None  # instead of a code
    status: int | None = None  # of every answer
    metadata: Json = field(default_factory=dict)
    names: str = "token"  # where names are told: in the token, by userinfo, or by a userinfo of another person


class OidcProvider:
    """Listens on a free port. `person` is whoever comes; `requests` are the paths that were asked for."""

    def __init__(self) -> None:
        self._key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
        self._foreign = RSAKey.generate_key(2048, {"kid": "one"})
        self.person: Json = {"sub": "4711", "name": "Ada Lovelace", "email": "ada@id.test"}
        self.behaviour = Behaviour()
        self.requests: list[str] = []
        self._codes: dict[str, Json] = {}
        self._tokens: dict[str, Json] = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def misbehave(self, **otherwise: Any) -> None:
        """From now on; without arguments: not at all."""
        self.behaviour = Behaviour(**otherwise)

    def change_key(self) -> None:
        """Sign with a new one, as providers do now and then."""
        self._key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a web process that offers this login."""
        return {
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_NAME": "Example",
        }

    # Each answers with a status, and either JSON or the address to go to.

    def answer(self, path: str, query: dict[str, str], form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.requests.append(path)
        if self.behaviour.status:
            return self.behaviour.status, {"error": "server_error"}
        match path:
            case "/.well-known/openid-configuration":
                return 200, self._metadata()
            case "/jwks":
                return 200, KeySet([self._key]).as_dict(private=False)
            case "/authorize":
                return 302, self._authorize(query)
            case "/token":
                return self._token(form, authorization)
            case "/userinfo":
                return self._userinfo(authorization)
            case "/end_session":
                return 302, query["post_logout_redirect_uri"]
        return 404, {}

    def _metadata(self) -> Json:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/end_session",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            **self.behaviour.metadata,
        }

    def _authorize(self, query: dict[str, str]) -> str:
        assert query["client_id"] == CLIENT_ID, query
        assert query["response_type"] == "code", query
        assert query["code_challenge_method"] == "S256", query
        state = self.behaviour.state or query["state"]
        if self.behaviour.error:
            return f"{query['redirect_uri']}?{urlencode({'error': self.behaviour.error, 'state': state})}"
        code = secrets.token_urlsafe(8)
        self._codes[code] = {**query, "person": self.person}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': state})}"

    def _token(self, form: dict[str, str], authorization: str) -> tuple[int, Json]:
        asked = self._codes.pop(form.get("code", ""), None)
        secret = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET.replace(' ', '%20')}".encode()).decode()
        plain = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization not in {f"Basic {secret}", f"Basic {plain}"}:
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if not asked or asked["redirect_uri"] != form["redirect_uri"] or asked["code_challenge"] != challenge.decode():
            return 400, {"error": "invalid_grant"}
        access_token = secrets.token_urlsafe(8)
        self._tokens[access_token] = asked["person"]
        answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": 60}
        return 200, answer if self.behaviour.no_token else {**answer, "id_token": self._id_token(asked)}

    def _id_token(self, asked: Json) -> str:
        now = int(time.time())
        person = asked["person"] if self.behaviour.names == "token" else {"sub": asked["person"]["sub"]}
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **person}
        claims = {name: value for name, value in {**claims, **self.behaviour.claims}.items() if value is not None}
        if self.behaviour.unsigned:
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])
        key = self._foreign if self.behaviour.foreign_key else self._key
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, key)

    def _userinfo(self, authorization: str) -> tuple[int, Json]:
        person = self._tokens.get(authorization.removeprefix("Bearer "))
        if person is None:
            return 401, {"error": "invalid_token"}
        return 200, {**person, "sub": "another"} if self.behaviour.names == "userinfo of another" else person


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, body = provider.answer(parts.path, query, form, self.headers.get("Authorization", ""))
            data = b"" if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            if isinstance(body, str):
                self.send_header("Location", body)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            """`requests` has them."""

    return Handler


@contextmanager
def running_oidc_provider() -> Iterator[OidcProvider]:
    """A provider for the length of the block."""
    provider = OidcProvider()
    with serving(provider.server):
        yield provider
