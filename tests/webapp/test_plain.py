"""What the server makes itself looks as the page does."""

import re

from tests.support.web_process import PROJECT
from webapp.plain import LOOK

TOKENS = PROJECT / "frontend" / "src" / "styles" / "tokens.css"


def colours(css: str) -> list[tuple[str, str]]:
    return re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css)


def test_their_colours_are_those_of_the_page() -> None:
    own, tokens = colours(LOOK.read_text()), colours(TOKENS.read_text())
    named = [(name, value) for name, value in own if name != "on-pine"]
    assert len(named) > 10
    assert set(named) <= set(tokens)
