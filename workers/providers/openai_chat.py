"""Any model behind an OpenAI-compatible chat completions URL, asked through the openai SDK.

The SDK gives the request, its authentication and the connection pool. The stream we read ourselves: its typed events
cost twice as much, and it takes an answer that was cut off for a whole one.
"""

import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
import openai

from telemetry import context
from workers.backoff import Backoff
from workers.providers.chat_chunks import CUT, ChatChunks
from workers.providers.event_stream import EventStream, WholeBody
from workers.providers.failures import OPERATOR, after, failure
from workers.providers.source import Begun, Event, Message, ModelFailed, Refused

PART = 64 * 1024  # bytes
PARTS_AT_ONCE = 4  # read before others get their turn; milliseconds, and at the pace of a model nothing at all
NO_KEY = "none"  # servers of one's own want no key, but the SDK wants one
SHORTEST = 8  # characters; what is shorter is no secret, and would be taken out of words that it has nothing to do with
NO_ANSWER = f"The model's server answered with something that is no answer. {OPERATOR}"
NO_LIST = "The model's server does not say in a readable way which models it has."
NAME = re.compile(r"(?=.*\S)[^\0-\x1f\x7f\ud800-\udfff]{1,200}")  # of a model, as one can choose it (webapp/schemas.py)


class OpenAIChat:
    """One warm client; safe to use from many greenlets at once. Make one per process."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str | None,
        default_model: str,
        connections: int,
        connect_timeout: float,
        attempts: int,
        patience: float,
        backoff: Backoff,
        sleep: Callable[[float], object],
        give_way: Callable[[], object] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`patience`: a server that asks to be left alone for longer than so many seconds is not asked again.

        `give_way` lets others of this process have their turn.
        """
        http_client = openai.DefaultHttpxClient(
            # Silence is watched by whoever reads: here only connecting has a limit.
            timeout=httpx2.Timeout(None, connect=connect_timeout),
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
        )
        self._client = openai.OpenAI(
            base_url=base_url, api_key=api_key or NO_KEY, max_retries=0, http_client=http_client
        )
        self._key = _pattern(api_key or NO_KEY)
        self._default_model = default_model
        self._attempts = attempts
        self._patience = patience
        self._backoff = backoff
        self._sleep = sleep
        self._give_way = give_way
        self._now = now

    def warm_up(self) -> str:
        """Do what the first request would otherwise wait for, but for the connection; return the server's URL."""
        self._client.chat.completions.with_streaming_response  # noqa: B018  loads the SDK's part for chats
        return str(self._client.base_url)

    def models(self) -> list[str]:
        """See `Source.models`. A server that lists none has none that could be named."""
        with self._keeping_the_key():
            return self._models()

    def _models(self) -> list[str]:
        try:
            listed = self._client.models.list(timeout=self._patience)
        except openai.APIError as error:
            raise failure(error, "", self._now()).error() from error
        except (ValueError, TypeError, AttributeError, RecursionError) as error:  # the SDK's own, of what is no list
            raise ModelFailed(NO_LIST, f"malformed list of models ({type(error).__name__})") from error
        # The SDK checks nothing of what came: servers leave out all kinds of things.
        data = getattr(listed, "data", None)
        ids = [getattr(model, "id", None) for model in data] if isinstance(data, list) else []
        return sorted({name for name in ids if isinstance(name, str) and NAME.fullmatch(name)}, key=str.lower)

    def close(self) -> None:
        self._client.close()

    def stream(self, model: str | None, messages: Sequence[Message]) -> Generator[Event]:
        """See `Source.stream`. Until the answer has begun, what may help is tried again; afterwards never.

        A model that says that it is loading is asked until it has loaded: the caller has a time limit.
        """
        with self._keeping_the_key(), ExitStack() as stack:
            response = yield from self._ask(stack, model or self._default_model, messages)
            yield Begun()
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            events, chunks = WholeBody() if kind == "application/json" else EventStream(), ChatChunks()
            said = False
            # Held by name until the response is closed: else whoever lets go of it in the middle closes it unseen,
            # where a greenlet that is stopped at that very moment cannot be told so.
            parts = self._parts(response)
            try:
                for part in parts:
                    for data in events.feed(part):
                        said = True
                        yield from chunks.feed(data)
            except httpx2.RequestError as error:  # of the connection, or of what came over it (gzip that is none)
                raise ModelFailed(CUT, f"{type(error).__name__}: {error}") from error
            for data in events.flush():
                said = True
                yield from chunks.feed(data)
            if not said and kind != "text/event-stream":  # what a proxy shows to browsers, perhaps
                raise ModelFailed(NO_ANSWER, f"no event in a response of type {kind!r:.100}")
            chunks.close()

    @contextmanager
    def _keeping_the_key(self) -> Iterator[None]:
        """What a model's server says of the key that it was given is for nobody."""
        try:
            yield
        except ModelFailed as error:
            error.hide(self._key)
            raise

    def _parts(self, response: Any) -> Generator[bytes]:
        """The body as it comes. A server that sends without a pause does not keep the others from their turn: under
        gevent, whoever finds something to read reads on."""
        parts = 0
        for piece in response.iter_bytes():
            for start in range(0, len(piece), PART):  # what was packed tightly comes in huge pieces
                yield piece[start : start + PART]
                parts += 1
                if parts % PARTS_AT_ONCE == 0:
                    self._give_way()

    def _ask(self, stack: ExitStack, model: str, messages: Sequence[Message]) -> Generator[Event, None, Any]:
        attempt = 0
        while True:
            attempt += 1
            request = self._client.chat.completions.with_streaming_response.create(
                model=model,
                messages=(),
                extra_body={"messages": messages},  # the SDK itself takes 0.3 ms to look at each
                stream=True,
                stream_options={"include_usage": True},
                extra_headers=context.headers(),
            )
            try:
                return stack.enter_context(request)
            except openai.APIError as error:
                failed = failure(error, model, self._now())
                wait = failed.retry_after
                enough = attempt >= self._attempts and not failed.loading  # which whoever reads puts an end to
                if not failed.may_retry or enough or (wait or 0) > self._patience:
                    raise failed.error() from error
            pause = (wait or 0) + self._backoff.delay(attempt)
            yield Refused(failed.meanwhile.format(when=after(pause)), pause, failed.kind)
            self._sleep(pause)


def _pattern(key: str) -> re.Pattern[str]:
    """Finds it, also where its end was cut off, or was hidden by the server."""
    beginning = key[: max(SHORTEST, len(key) // 3)]
    return re.compile(re.escape(beginning) + r"[^\s\"'”]*" if len(key) > SHORTEST else r"(?!)")
