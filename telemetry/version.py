"""Which version of the program this is."""

from functools import cache

from sentry_sdk.utils import get_default_release

NUMBER = "0.1.0"
SHOWN = 9  # characters of a commit


@cache
def version() -> str:
    """The number, and the commit where it can be known: SENTRY_RELEASE, a platform's variable, or the checkout."""
    release = get_default_release()
    return f"{NUMBER} ({release[:SHOWN] if len(release) == 40 else release})" if release else NUMBER
