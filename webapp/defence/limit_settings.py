"""How much of everything one person, or one address, may do. Nobody who means well meets a default.

A thousand people can have one address, and come back to it all at once when a server restarts; so what is counted by
address is only against machines, and what is counted by identity is against a person's.
"""

from typing import Annotated

from limits import RateLimitItem, parse_many
from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings

NONE = "none"


def parsed_rates(text: str) -> tuple[RateLimitItem, ...]:
    """What the library `limits` reads: `30/minute`, and several with semicolons between them. `none`: there are none.

    Raises ValueError.
    """
    return () if text.strip().lower() == NONE else tuple(parse_many(text))


def _checked(text: str) -> str:
    if any(rate.amount < 1 or rate.multiples < 1 for rate in parsed_rates(text)):
        raise ValueError("a rate is a number from 1")
    return text


def _none_is_none(text: object) -> object:
    return None if isinstance(text, str) and text.strip().lower() == NONE else text


Rates = Annotated[str, AfterValidator(_checked)]
Most = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_none_is_none)]


def _rates(default: str, what: str) -> str:
    described = f"how many {what}: a number and a time, as `{default}`, several with semicolons between them, or `none`"
    return Field(default=default, description=described)


def _most(default: int, what: str) -> int:
    described = f"a whole number from 1, or `none`: how many {what}"
    return Field(default=default, description=described)


class LimitSettings(BaseSettings):
    """Each field is the environment variable of the same name in capitals."""

    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="how many proxies of your own stand in front; on Heroku 1"
    )
    sends_per_identity: Rates = _rates("30/minute; 600/hour", "answers one identity may ask for")
    sends_per_address: Rates = _rates("600/minute", "answers may be asked for from one address")
    follows_per_identity: Rates = _rates("300/minute", "sockets, event streams and readings one identity may begin")
    follows_per_address: Rates = _rates(
        "20000/minute", "sockets, event streams and readings may begin from one address"
    )
    share_opens_per_identity: Rates = _rates("300/minute", "times one identity may read by share links")
    share_opens_per_address: Rates = _rates("60000/minute", "times share links may be read from one address")
    share_guesses: Rates = _rates("20/minute", "share links that lead nowhere one identity may try")
    new_identities_per_address: Rates = _rates("3000/minute", "identities may be given out to one address")
    remarks_per_identity: Rates = _rates("30/minute", "remarks one identity may make")
    remarks_per_address: Rates = _rates("1000/minute", "remarks may be made from one address")
    connections_per_identity: Most = _most(100, "sockets and event streams one identity may have open")
    connections_per_address: Most = _most(10_000, "sockets and event streams may be open from one address")
    frames_per_second: Most = _most(50, "frames a page may send on one socket, for longer than ten seconds")
