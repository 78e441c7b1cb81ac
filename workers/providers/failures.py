"""What a refused or failed request means: a sentence for the person, a cause for the log, and whether to try again."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2
import openai

from workers.providers.chat_chunks import CUT, quoted
from workers.providers.source import ModelFailed

# Answers of the model's own server, which is no longer at work. Of 408, 502, 504 and the like, which speak for somebody
# behind them, that cannot be said: there the request may be under way, and to ask again could mean to pay twice.
REFUSED = (409, 500, 503, 529)

OPERATOR = "Whoever runs this server has to look at it."

# 400 has many reasons; servers tell this one apart by code (OpenAI), type (llama.cpp) or only in words (vLLM, others).
TOO_LONG = re.compile(r"context.?(length|size|window)|too (long|large|many tokens)|maximum.*tokens", re.IGNORECASE)
TOO_LONG_REASON = "The conversation is too long for this model. Shorten the message, or start a new conversation."


# llama.cpp says "Loading model", Hugging Face "is currently loading", TGI and others "warming up" or "starting".
LOADING = re.compile(r"\b(loading|warming up|starting)\b", re.IGNORECASE)

BUSY_NOW = "The model is busy. Asking again {when}…"
LOADING_NOW = "The model is loading…"
AWAY_NOW = "The model cannot be reached. Trying again {when}…"
TROUBLE_NOW = "The model's server has trouble. Asking again {when}…"


LONGEST_WAIT = 7 * 24 * 3600.0  # seconds; what a server says beyond that tells a person nothing


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that gave no answer. `retry_after` is what the server asked us to wait, in seconds.

    Where it may be tried again, `meanwhile` is what the person reads until then, with a place for `after`.
    """

    reason: str
    cause: str
    may_retry: bool = False
    retry_after: float | None = None
    meanwhile: str = TROUBLE_NOW
    loading: bool = False  # nobody is at work yet, so that asking on costs nothing
    kind: str = "broken"  # one of workers.metrics.KINDS
    said: str = ""  # see ModelFailed

    def error(self) -> ModelFailed:
        return ModelFailed(self.reason, self.cause, self.kind, self.said)


def failure(error: openai.APIError, model: str, now: datetime) -> Failure:
    """Read what the SDK raised before an answer began."""
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, model, now)
    cause = f"{type(error).__name__}: {error.__cause__ or error}"
    if isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout):
        return Failure(
            "The model could not be reached. Try again in a while.", cause, True, meanwhile=AWAY_NOW, kind="unreachable"
        )
    # The request may have arrived and be at work: to ask again could mean to pay twice.
    return Failure(CUT, cause)


def _refusal(error: openai.APIStatusError, model: str, now: datetime) -> Failure:
    status = error.status_code
    cause = f"HTTP {status}: {error.message:.500}"
    retry_after = _retry_after(error.response.headers, now)
    if status in (401, 403):
        return Failure(f"The model's provider did not accept this server's key. {OPERATOR}", cause, kind="key")
    if status == 402 or error.code == "insufficient_quota":
        return Failure(f"This server's account with the model's provider is used up. {OPERATOR}", cause, kind="quota")
    if status == 404:
        return Failure(
            f"The model “{model}” is not known to its provider. Choose another one.", cause, kind="unknown_model"
        )
    # What these say is about what was asked, and may quote it.
    about, said = f"HTTP {status} ({error.code or error.type or 'no code'})", f"{error.message:.500}"
    if status in (400, 413, 422) and TOO_LONG.search(f"{error.code} {error.type} {error.message}"):
        return Failure(TOO_LONG_REASON, about, kind="too_long", said=said)
    if status == 429:
        when = f"in {_duration(retry_after)}" if retry_after else "in a while"
        sentence = f"The model is asked too often at the moment. Try again {when}."
        return Failure(sentence, cause, True, retry_after, BUSY_NOW, kind="busy")
    if status in (408, 409) or status >= 500:
        sentence = f"The model's server has trouble (HTTP {status}). Try again in a while."
        loading = status == 503 and LOADING.search(error.message) is not None
        meanwhile = LOADING_NOW if loading else BUSY_NOW if status == 529 else TROUBLE_NOW
        kind = "loading" if loading else "busy" if status == 529 else "trouble"
        return Failure(sentence, cause, status in REFUSED, retry_after, meanwhile, loading, kind)
    sentence = f"The model refused the request (HTTP {status}): {quoted(error.body or error.message)}"
    return Failure(sentence, about, kind="rejected", said=said)


def after(seconds: float) -> str:
    """When something will happen, to the next whole second."""
    whole = math.ceil(seconds)
    return "in a moment" if whole < 1 else "in a second" if whole == 1 else f"in {_duration(whole)}"


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The header's seconds, or the seconds until its date; None if there is none that can be read."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, OverflowError):  # the zone of a date is any number
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return seconds if 0 <= seconds <= LONGEST_WAIT else None


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"
