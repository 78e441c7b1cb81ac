"""Makes text of a model safe to store: whole characters only.

Some servers cut a character outside the basic plane into two JSON escapes (`\\ud83d`, `\\ude00`) and send them in two
deltas. Neither half can be encoded. And PostgreSQL stores no NUL.
"""

import re

REPLACEMENT = "\ufffd"
_HIGH_AT_END = re.compile("[\ud800-\udbff]\\Z")  # not `$`, which a line feed may follow
_UNSTORABLE = re.compile("[\ud800-\udfff\0]")


class SurrogateJoiner:
    """Text in, cut anywhere; text of whole characters out. Half a character waits for its other half."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """Take the next text; return what is whole. What can never be whole becomes U+FFFD."""
        if not self._half and not _UNSTORABLE.search(text):
            return text
        text = self._half + text
        self._half = text[-1] if _HIGH_AT_END.search(text) else ""
        text = text.removesuffix(self._half)
        joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return _UNSTORABLE.sub(REPLACEMENT, joined)

    def flush(self) -> str:
        """Nothing more comes: the half that waited stays alone."""
        half, self._half = self._half, ""
        return half and REPLACEMENT
