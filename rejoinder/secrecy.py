"""What of the environment is nobody's business, and texts without it."""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

SECRET = ("KEY", "PASSWORD", "SECRET", "TOKEN", "DSN")
SHORTEST = 4  # characters; what is shorter would be taken out of words that it has nothing to do with
REPLACEMENT = "•••"


def secrets_in(environ: Mapping[str, str] = os.environ) -> list[str]:
    """What is to be shown nowhere: variables whose names say so, and the passwords in URLs. The longest first."""
    found: set[str] = set()
    for name, value in environ.items():
        if any(word in name.upper() for word in SECRET):
            found |= {value, *(part.strip() for part in value.split(","))}
        elif "://" in value and (password := _password(value)):
            found |= {password, unquote(password)}
    return sorted((each for each in found if len(each) >= SHORTEST), key=len, reverse=True)


def without(secrets: Iterable[str], text: str) -> str:
    """The text, with dots in place of each of these."""
    for secret in secrets:
        text = text.replace(secret, REPLACEMENT)
    return text


def shown_url(url: str) -> str:
    """A URL without its password and its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    user_and_password, at, host = parts.netloc.rpartition("@")
    user = user_and_password.partition(":")[0]
    return urlunsplit((parts.scheme, f"{user}{at if user else ''}{host}", parts.path, "", ""))


def _password(url: str) -> str | None:
    try:
        return urlsplit(url).password
    except ValueError:
        return None
