"""Where somebody goes after signing in: a path of our own, whatever the address said."""

import re

# A browser reads "//host", "/\host" and "/<tab>/host" as another site.
OWN_PATH = re.compile(r"/(?:[^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?")
LONGEST = 2_000  # characters


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """What is wanted, if it is a path of this site."""
    if wanted and len(wanted) <= LONGEST and OWN_PATH.fullmatch(wanted):
        return wanted
    return otherwise
