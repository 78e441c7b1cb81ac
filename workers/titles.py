"""A title for a conversation, asked of a model once its first answer is saved.

It is a convenience: whatever goes wrong costs a line in the log, and the provisional title stays.
"""

import logging
import re
from contextlib import closing

import gevent
from sqlalchemy.exc import SQLAlchemyError

from conversations import Store, Unnamed
from conversations.text import TURNING, clean_title, short_title
from streams import Kind
from workers.providers.source import Delta, Message, ModelFailed, Source
from workers.saving import Saver

log = logging.getLogger(__name__)

TIME_LIMIT = 20.0  # seconds from the question to the last word
READ = 200  # characters after which nothing more is read: a title is shorter, and what is longer is none
LONGEST = 120  # characters; a longer line is a paragraph of a model that did not do as it was asked
QUOTED = 1_000  # characters of question and of answer that the model is given

WISH = """Write a title for the conversation below: two to six words, in the language of the conversation. \
Reply with the title only.

<question>
{question}
</question>

<answer>
{answer}
</answer>

Title:"""

# Some models write what they think into their text.
THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
TAG = re.compile(r"</?[A-Za-z!][^<>]*>")
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
EMPHASIS = re.compile(r"\*+(?=\S)|(?<=\S)\*+|\b_+|_+\b|[`~]{1,3}")
LEADING = re.compile(r"^(?:#+|[-+*•>])(?:\s+|$)")
LABEL = re.compile(r"^(?:title|titel|titre|título|titolo|заголовок|标题|標題|タイトル|제목)\s*[:：]", re.IGNORECASE)
IN_QUOTES = re.compile(r"""^["“”„«»‘’‚'「『]([^"“”„«»]*)["“”„«»‘’'」』]$""")


class Titles:
    """Names conversations. One per process."""

    def __init__(self, store: Store, saver: Saver, source: Source, model: str | None, time_limit: float) -> None:
        """`model`: who is asked; None: whoever answered."""
        self._store = store
        self._saver = saver
        self._source = source
        self._model = model
        self._time_limit = time_limit

    def name_after(self, stream_id: str) -> None:
        """Name the conversation of this answer, if it is the first and nobody else has. Raises what interrupts it."""
        facts = {"stream_id": stream_id}
        try:
            unnamed = self._store.unnamed(stream_id)
            if unnamed is None:
                return
            title = self._ask(unnamed)
            if title is None:
                log.info("no title: the model gave none", extra=facts)
            elif self._saver.name(unnamed.conversation_id, title, instead_of=unnamed.title):
                log.info("conversation named", extra=facts)
        except ModelFailed as error:
            log.warning("no title: %s", error.cause, extra=facts)
        except SQLAlchemyError as error:
            log.warning("no title: %s", error, extra=facts)

    def _ask(self, unnamed: Unnamed) -> str | None:
        words = ""
        in_time = False
        with gevent.Timeout(self._time_limit, False):
            with closing(self._source.stream(self._model or unnamed.model, wish(unnamed))) as events:
                for event in events:
                    if isinstance(event, Delta) and event.kind is Kind.TEXT:
                        words += event.text
                        if len(words) >= READ:
                            break
            in_time = True
        return title_from(words[: 2 * READ]) if in_time else None  # a single delta may be of any length


def wish(unnamed: Unnamed) -> list[Message]:
    """What the model is asked. All of it is one message, because some models take no system prompt."""
    text = WISH.format(question=unnamed.question[:QUOTED], answer=unnamed.answer[:QUOTED])
    return [{"role": "user", "content": text}]


def title_from(words: str) -> str | None:
    """The title in what a model wrote: one bare line that fits into the list. None, if there is none to be found."""
    for line in THINKING.sub("", words).splitlines():
        title = _bare(line)
        if any(map(str.isalnum, title)):
            return short_title(title) if len(title) <= LONGEST else None
    return None


def _bare(line: str) -> str:
    """The line without the tags, marks, labels and quotes that models like to put around a title."""
    line = clean_title(TURNING.sub("", LINK.sub(r"\1", TAG.sub("", line))))
    before = None
    while line != before:  # they come in any order: **Title: "Pancakes."**
        before = line
        line = LEADING.sub("", EMPHASIS.sub("", line))
        line = IN_QUOTES.sub(r"\1", LABEL.sub("", line).strip())
        line = line.rstrip(" .。")
    return line
