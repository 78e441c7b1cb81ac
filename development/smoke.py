"""`python -m development.smoke`, which is `make smoke`: the main job on the embedded defaults, by a program.

It starts the launcher as `make run` does, asks the embedded model, cuts one reader's connection in mid-answer while
another stays, resumes from the position that the first one held, and compares every character of four copies.
"""

import http.cookiejar
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from development.checkout import ROOT
from development.guardian import Guardian
from development.plan import free_port
from development.reading import Reader
from development.state import State
from tests.support.copy import Copy

PROMPT = "Tell me a short story about a lighthouse keeper who finds a letter in a bottle."
FIRST_PART = 20  # chunks before the connection is cut
MEANWHILE = 20  # chunks that it misses
ENOUGH = 600  # tokens; half of its stories would go on until the context is full, at 2,000
START_LIMIT = 300.0  # seconds for everything to be there, on a busy machine
ANSWER_LIMIT = 300.0  # seconds for each part of the answer
POLL_INTERVAL = 0.1  # seconds
STOP_LIMIT = 60.0  # seconds
DIRECT = urllib.request.ProxyHandler({})  # what runs here is asked directly
BROUGHT = ("REDIS_URL", "DATABASE_URL", "OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL", "SECRET_KEY")


class Broken(Exception):
    """What was promised was not kept."""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and everything below is closed
    begun = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="rejoinder-smoke-") as folder, running(State(Path(folder))) as places:
            ask_cut_and_resume(Visitor(places["web"]), places["model"])
    except (Broken, TimeoutError) as failure:
        print(f"\nNot kept: {failure}\nmake smoke: failed", file=sys.stderr)
        return 1
    print(f"make smoke: passed in {time.monotonic() - begun:.0f} s")
    return 0


def ask_cut_and_resume(visitor: "Visitor", model: str) -> None:
    conversation = visitor.post("/api/conversations", {"title": "Smoke"})["id"]
    stream = visitor.post(f"/api/conversations/{conversation}/messages", {"content": PROMPT})["stream"]
    say("asked", PROMPT)

    uninterrupted = Reader(visitor.address, visitor.cookie, stream, Copy())
    first = Reader(visitor.address, visitor.cookie, stream, Copy())
    first.wait_for(FIRST_PART, ANSWER_LIMIT)
    first.cut()
    copy = first.copy
    check(copy.end is None, "the connection was cut in mid-answer")
    held, position = len(copy.text), copy.position
    say("cut", f"at position {position}, with {held} characters: “…{copy.text[-40:]!s}”")

    uninterrupted.wait_for(copy.next_index + MEANWHILE, ANSWER_LIMIT)
    second = Reader(visitor.address, visitor.cookie, stream, copy)
    second.wait_for_end(ANSWER_LIMIT)
    uninterrupted.wait_for_end(ANSWER_LIMIT)
    say("resumed", f"from {position}: {second.travelled.characters} more characters, “{copy.text[held : held + 40]}…”")
    second.close()
    uninterrupted.close()

    whole, end = uninterrupted.copy.text, uninterrupted.copy.end or {}
    check(end["outcome"] == "finished", "the answer is finished", f"it is {end['outcome']}: {end['reason']}")
    check(f"{copy.epoch}:{second.travelled.first_index}" == position, "the second connection began at that position")
    check(second.travelled.characters == len(whole) - held, "only the missing part travelled")
    check(second.travelled.frames.count("end") == 1, "the end came once")
    same("the uninterrupted reader", copy.text, whole)

    recorded = visitor.get(f"/api/streams/{stream}")
    same(f"GET /api/streams/{stream}", recorded["text"], whole)
    check((recorded["state"], recorded["stop"]) == ("ended", copy.next_index), "the stream ends where the reader does")

    saved = eventually(lambda: saved_answer(visitor, conversation), "the answer to be in the database")
    same(f"the message in the conversation {conversation}", saved["content"], whole)

    usage = saved["usage"]
    counted = counters(model)
    generated = counted["llamacpp:tokens_predicted_total"]
    check(
        generated == usage["completion_tokens"],
        "the model was asked once",
        f"it has generated {generated:.0f} tokens, and the answer has {usage['completion_tokens']}",
    )
    say("answer", f"{len(whole)} characters, {usage['completion_tokens']} tokens, generated once")


class Visitor:
    """A browser's worth of HTTP: JSON, and a cookie jar."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._jar = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(DIRECT, urllib.request.HTTPCookieProcessor(self._jar))

    @property
    def cookie(self) -> str:
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in self._jar)

    def get(self, path: str) -> Any:
        return self._ask(self._request(path))

    def post(self, path: str, body: Any) -> Any:
        return self._ask(self._request(path, json.dumps(body).encode()))

    def _request(self, path: str, body: bytes | None = None) -> urllib.request.Request:
        headers = {"Content-Type": "application/json"} if body else {}
        return urllib.request.Request(self.address + path, body, headers)  # noqa: S310 (http)

    def _ask(self, request: urllib.request.Request) -> Any:
        with self._opener.open(request, timeout=30) as answer:
            return json.load(answer)


@contextmanager
def running(state: State) -> Iterator[dict[str, str]]:
    """The launcher in a folder of its own, on the embedded defaults; where its parts are. It has to stop cleanly."""
    environ = {name: value for name, value in os.environ.items() if name not in BROUGHT}
    # A machine that is busy with tests beside this one can keep a worker waiting for seconds; that is not our subject.
    environ = {"STREAM_LEASE": "60"} | environ | {"PORT": str(free_port()), "EMBEDDED_ANSWER_LIMIT": str(ENOUGH)}
    command = [sys.executable, "-m", "development.run", "--state", str(state.folder)]
    with Guardian() as guardian:
        launcher = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        guardian.watch(launcher.pid)
        try:
            eventually(lambda: state.places() or launcher.poll() is not None, "everything to start", START_LIMIT)
            if launcher.returncode is not None:
                raise Broken("it starts (its words are above)")
            yield state.places()
            launcher.send_signal(signal.SIGINT)
            check(launcher.wait(STOP_LIMIT) == 0, "it stops cleanly")
        finally:
            if launcher.poll() is None:
                launcher.terminate()
                launcher.wait(STOP_LIMIT)


def saved_answer(visitor: Visitor, conversation: str) -> Any:
    answer = visitor.get(f"/api/conversations/{conversation}")["messages"][-1]
    return answer if answer["status"] == "finished" else None


def counters(model: str) -> dict[str, float]:
    """What llama.cpp has counted since it was started."""
    with urllib.request.build_opener(DIRECT).open(model.removesuffix("/v1") + "/metrics", timeout=30) as answer:
        lines = [line.split() for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def eventually(condition: Callable[[], Any], what: str, timeout: float = 30.0) -> Any:
    """The first truthy value of the condition. Raises TimeoutError."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout:g} s still waiting for {what}")
        time.sleep(POLL_INTERVAL)  # what is waited for lies in other processes, which tell nobody
    return value


def same(where: str, text: str, whole: str) -> None:
    at = next((i for i, (a, b) in enumerate(zip(text, whole, strict=False)) if a != b), min(len(text), len(whole)))
    check(text == whole, f"every character as in {where}", f"{len(text)} and {len(whole)}, equal up to {at}")


def check(kept: bool, promise: str, instead: str = "") -> None:
    if not kept:
        raise Broken(f"{promise} ({instead})" if instead else promise)
    say("holds", promise)


def say(what: str, detail: str) -> None:
    print(f"  {what:<9} {detail}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
