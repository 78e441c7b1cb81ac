"""Going on with an answer that was cut off: how a model is asked to do that."""

from collections.abc import Sequence
from enum import StrEnum

from conversations import Prompt
from workers.providers.source import Message

INSTRUCTION = (
    "Your last answer was cut off. Go on with it from exactly the character where it stops, so that both parts joined "
    "read as one text. Repeat nothing, and say nothing about this."
)


class ContinueWith(StrEnum):
    """What the model's server understands."""

    INSTRUCTION = "instruction"  # any chat model: the part as its own words, and a request to go on
    PREFIX = "prefix"  # servers that go on from a last message of the assistant's, as llama.cpp and Anthropic's do


def messages_for(prompt: Prompt, how: ContinueWith) -> Sequence[Message]:
    """What to ask the model: the prompt and, where a part of the answer is there, to go on from it."""
    if not prompt.begun:
        return prompt.messages
    part: list[Message] = [*prompt.messages, {"role": "assistant", "content": prompt.begun}]
    return part if how is ContinueWith.PREFIX else [*part, {"role": "user", "content": INSTRUCTION}]
