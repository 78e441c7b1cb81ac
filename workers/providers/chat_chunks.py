"""Reads the chunks of a chat completion, as OpenAI and everyone after them sends them.

Rule: no I/O in this file. Data goes in, events come out; so every oddity of a server is a line in a test.
"""

import json
import re
from itertools import islice
from typing import Any

from streams import Kind
from workers.providers.source import Delta, Event, Finish, ModelFailed, Usage
from workers.providers.surrogates import SurrogateJoiner

DONE = "[DONE]"
QUOTED = 300  # characters of a provider's own message that a person gets to see
COUNT = re.compile(r"[A-Za-z][\w.-]{0,63}", re.ASCII)  # what a token count may be called, to be kept
MOST_COUNTS = 20  # OpenAI sends 3, DeepSeek 5
LARGEST_COUNT = 2**53 - 1  # so far every language can count

# Where servers put what: reasoning has one name at DeepSeek, vLLM and llama.cpp, another at OpenRouter and Ollama.
FIELDS = {"content": Kind.TEXT, "reasoning_content": Kind.REASONING, "reasoning": Kind.REASONING}

CUT = "The connection to the model was cut before the answer was whole."


class ChatChunks:
    """The data of one answer's events in; deltas, the finish and the usage out."""

    def __init__(self) -> None:
        self._joiners = {Kind.TEXT: SurrogateJoiner(), Kind.REASONING: SurrogateJoiner()}
        self._finished = False

    def feed(self, data: str) -> list[Event]:
        """Take one event's data. Raises ModelFailed if it is an error, or cannot be read."""
        if data.strip() == DONE:
            return self._finish("stop")
        try:
            return self._read(json.loads(data))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # One net for every shape that is not a chunk: each would fail in a line of _read.
            reason = "The model sent something that could not be read."
            raise ModelFailed(reason, f"malformed chunk of {len(data)} characters ({type(error).__name__})") from error

    def close(self) -> None:
        """The connection ended cleanly. Raises ModelFailed if the model had not said that it is done."""
        if not self._finished:
            raise ModelFailed(CUT, "the stream ended without finish_reason and without [DONE]")

    def _read(self, chunk: dict[str, Any]) -> list[Event]:
        if error := chunk.get("error"):
            reason = f"The model reported an error: {quoted(error)}"
            raise ModelFailed(reason, "error in the stream", said=f"{error!r:.500}")
        events: list[Event] = []
        for choice in chunk.get("choices") or []:
            events += self._deltas(choice.get("delta") or choice.get("message") or {})  # message: see WholeBody
            if reason := choice.get("finish_reason"):
                events += self._finish(str(reason))
        if usage := chunk.get("usage"):
            events.append(Usage(_counts(usage)))
        return events

    def _deltas(self, delta: dict[str, Any]) -> list[Event]:
        sent = {kind: text for name, kind in FIELDS.items() if (text := delta.get(name))}
        whole = {kind: self._joiners[kind].feed(text) for kind, text in sent.items()}
        return [Delta(kind, text) for kind, text in whole.items() if text]

    def _finish(self, reason: str) -> list[Event]:
        if self._finished:
            return []
        self._finished = True
        left = {kind: joiner.flush() for kind, joiner in self._joiners.items()}
        return [*(Delta(kind, text) for kind, text in left.items() if text), Finish(reason)]


def _counts(usage: dict[str, Any]) -> dict[str, int]:
    """The token counts in it. They are stored with the answer, and must never be what cannot be stored or shown."""
    counts = {
        name: count
        for name, count in usage.items()
        if type(count) is int and 0 <= count <= LARGEST_COUNT and COUNT.fullmatch(name)
    }
    return dict(islice(counts.items(), MOST_COUNTS))


def quoted(error: object) -> str:
    """A provider's own words about an error, short enough to show."""
    message = error.get("message", error) if isinstance(error, dict) else error
    words = " ".join(str(message).split())
    return f"“{words[:QUOTED]}…”" if len(words) > QUOTED else f"“{words}”"
