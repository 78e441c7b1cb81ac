"""An OpenAI-compatible model whose behaviour a test writes down. Standard library only, in a process of its own.

    with running_scripted_model() as model:          # model.base_url is what OPENAI_BASE_URL wants
        model.script({"deltas": ["Once", {"wait": "go"}, " upon"]})
        ...                                          # the client asks; it gets "Once", and then nothing
        model.release("go")                          # ...until now

or `python -m tests.support.scripted_model 8099` and the three control URLs, for programs that are not Python.

**A script** is a JSON object. A request is answered by the next of those queued (`POST /script` with a list: one for
each request); else by its last user message, if that is itself a JSON object; else by the standing one (`POST /script`
with an object); else the prompt is echoed word by word.

| key                | default  | meaning |
| ------------------ | -------- | --- |
| `deltas`           | `[]`     | the steps of the answer, see below |
| `repeat`           | –        | go through `deltas` so often; `{i}` in a text is its number, `{now}` the time |
| `together`         | 1        | of a repeated text, so many are sent in one delta |
| `pace`             | 0        | seconds before each delta |
| `gate`             | –        | a gate's name: every delta waits for one release of it |
| `hold`             | –        | a gate's name: not even the headers are sent before one release of it |
| `fragment`         | –        | write so many bytes at a time |
| `cut`              | false    | true: the connection is reset instead of any answer |
| `verbatim`         | –        | these bytes (as Latin-1) instead of any response; then the connection is closed |
| `finish_reason`    | `"stop"` | null: none is sent |
| `usage`            | counted  | null: none is sent (nor where the request does not ask for it) |
| `done`             | true     | whether `[DONE]` closes the stream |
| `status`           | 200      | else: no stream, but this HTTP status, `headers`, and the body `{"error": error}` |
| `headers`, `error` | `{}`     | see `status` |

A step is a text, or an object with one key: `{"text": …}`, `{"reasoning": …}`, `{"delta": {…}}` (any delta object),
`{"event": {…}}` (any object in place of a chunk), `{"error": {…}}` (an error inside the stream), `{"raw": …}` (these
characters as they are), `{"bytes": …}` (these bytes, as Latin-1), `{"wait": gate}`, `{"silence": true}` (nothing more,
ever), `{"cut": true}` (the connection is reset), `{"eof": true}` (the answer ends cleanly, too early).

**Control**: `POST /script`; `POST /forget` (what was scripted and nobody has asked for);
`POST /models` with what `GET /v1/models` is to list, or `{"verbatim": …}` as above;
`POST /release` with `{"gate": name, "count": n}` (releases may come before those who wait); `GET /requests/<n>`: every
request from number n on, in order, as `{"path", "client", "headers", "body", "sent", "state"}`.
`client` is its port; `sent` counts steps; `state` is `running`, `answered`, `cut`, or `disconnected` (the client went
first).
"""

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import responses
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

Json = dict[str, Any]
PROJECT = Path(__file__).parents[2]


class Cut(Exception):
    """The script says that the connection is reset here."""


class Closed(Exception):
    """The script has said all that it wants to say on this connection."""


class Server:
    """The model: one instance holds the scripts, the gates and the record of requests."""

    def __init__(self) -> None:
        self.queued: deque[Json] = deque()
        self.standing: Json | None = None
        self.gates: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self.requests: list[Json] = []
        self.models: Any = [{"id": "scripted", "object": "model", "owned_by": "tests"}]

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, request after request."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode("latin-1").split("\r\n")
                method, path, _ = lines[0].split(" ")
                fields = (line.partition(": ") for line in lines[1:] if line)
                headers = {name.lower(): value for name, _, value in fields}
                body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or "null")
                if path.endswith("/chat/completions"):
                    client = writer.get_extra_info("peername")[1]
                    record = {"path": path, "client": client, "headers": headers, "body": body}
                    record |= {"sent": 0, "state": "running"}
                    self.requests.append(record)
                    await self.answer_or_notice_leaving(record, reader, writer)
                elif path == "/v1/models" and isinstance(self.models, dict) and "verbatim" in self.models:
                    await self.say(writer, self.models["verbatim"])
                else:
                    await self.respond(writer, *self.control(method, path, body))
        except Cut:
            writer.transport.abort()
        except Closed:
            pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # The client left, which its record says already.
        finally:
            writer.close()

    def control(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        match method, path:
            case "GET", path if path.startswith("/requests/"):
                return 200, self.requests[int(path.removeprefix("/requests/")) :]
            case "GET", "/v1/models":
                return 200, {"object": "list", "data": self.models}
            case "POST", "/models":
                self.models = body
                return 200, {}
            case "POST", "/script":
                if isinstance(body, list):
                    self.queued.extend(body)
                else:
                    self.standing = body
                return 200, {}
            case "POST", "/forget":
                self.queued.clear()
                self.standing = None
                return 200, {}
            case "POST", "/release":
                for _ in range(body.get("count", 1)):
                    self.gates[body["gate"]].release()
                return 200, {}
        return 404, {"error": {"message": f"nothing at {method} {path}"}}

    async def respond(self, writer: asyncio.StreamWriter, status: int, body: Any, headers: Json | None = None) -> None:
        data = json.dumps(body).encode()
        fields = {"Content-Type": "application/json", "Content-Length": len(data), **(headers or {})}
        head = f"HTTP/1.1 {status} {responses.get(status, '')}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        writer.write(head.encode() + b"\r\n" + data)
        await writer.drain()

    async def say(self, writer: asyncio.StreamWriter, verbatim: str) -> None:
        writer.write(verbatim.encode("latin-1"))
        await writer.drain()
        raise Closed

    async def answer_or_notice_leaving(
        self, record: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        answer = asyncio.ensure_future(self.answer(record, writer))
        # A client that waits for its answer sends nothing; all that can be read is its leaving.
        leaving = asyncio.ensure_future(reader.read(1))
        leaving.add_done_callback(lambda left: left.cancelled() or left.exception())  # a reset is leaving, too
        await asyncio.wait({answer, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            leaving.cancel()
            await asyncio.wait({leaving})  # …or it would still hold the reader when the next request comes.
            try:
                answer.result()
            except ConnectionError:
                record["state"] = "disconnected"
                raise
            except Cut:
                record["state"] = "cut"
                raise
            except Closed:
                record["state"] = "answered"
                raise
            record["state"] = "answered"
        else:
            answer.cancel()
            record["state"] = "disconnected"
            raise ConnectionResetError

    async def answer(self, record: Json, writer: asyncio.StreamWriter) -> None:
        script = self.script_for(record["body"])
        if hold := script.get("hold"):
            await self.gates[hold].acquire()
        if script.get("cut"):
            raise Cut
        if "verbatim" in script:
            await self.say(writer, script["verbatim"])
        if (status := script.get("status", 200)) != 200:
            await self.respond(writer, status, {"error": script.get("error", {})}, script.get("headers"))
            return
        answer = Answer(script, record, writer, self.gates)
        await answer.send()

    def script_for(self, body: Json) -> Json:
        if self.queued:
            return self.queued.popleft()
        prompt = next((message["content"] for message in reversed(body["messages"]) if message["role"] == "user"), "")
        try:
            written: Any = json.loads(prompt)
        except ValueError:
            written = None
        if isinstance(written, dict):
            return written
        return self.standing or {"deltas": [f"{word} " for word in prompt.split()]}


class Answer:
    """One answer, streamed as its script says."""

    def __init__(
        self, script: Json, record: Json, writer: asyncio.StreamWriter, gates: dict[str, asyncio.Semaphore]
    ) -> None:
        self.script = script
        self.record = record
        self.writer = writer
        self.gates = gates
        self.model = record["body"].get("model", "scripted")

    async def send(self) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        script = self.script
        number, together = 0, script.get("together", 1)
        for _ in range(script.get("repeat", 1) // together):
            for step in script.get("deltas", []):
                if step == {"eof": True}:
                    self.writer.write(b"0\r\n\r\n")
                    return
                if "repeat" in script and isinstance(step, str):
                    numbered = (step.replace("{i}", str(number + each)) for each in range(together))
                    step = "".join(numbered)
                await self.step(step)
                self.record["sent"] += 1
                number += together
        if reason := script.get("finish_reason", "stop"):
            await self.chunk({}, finish_reason=reason)
        counted = {"prompt_tokens": len(self.record["body"]["messages"]), "completion_tokens": number}
        usage = script.get("usage", {**counted, "total_tokens": sum(counted.values())})
        if usage and (self.record["body"].get("stream_options") or {}).get("include_usage"):
            await self.event({"object": "chat.completion.chunk", "model": self.model, "choices": [], "usage": usage})
        if script.get("done", True):
            await self.raw("data: [DONE]\n\n")
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    async def step(self, step: Any) -> None:
        step = {"text": step} if isinstance(step, str) else step
        kind, value = next(iter(step.items()))
        if kind == "wait":
            await self.gates[value].acquire()
            return
        if kind == "silence":
            await asyncio.Event().wait()
        if kind == "cut":
            raise Cut
        if gate := self.script.get("gate"):
            await self.gates[gate].acquire()
        if pace := self.script.get("pace", 0):
            await asyncio.sleep(pace)
        match kind:
            case "text":
                now = repr(time.time()) if "repeat" in self.script else "{now}"
                await self.chunk({"content": value.replace("{now}", now)})
            case "reasoning":
                await self.chunk({"reasoning_content": value})
            case "delta":
                await self.chunk(value)
            case "event":
                await self.event(value)
            case "error":
                await self.event({"error": value})
            case "raw":
                await self.raw(value)
            case "bytes":
                await self.send_bytes(value.encode("latin-1"))
            case _:
                raise ValueError(f"a step is a text or has one of the keys in the table, not {step!r}")

    async def chunk(self, delta: Json, finish_reason: str | None = None) -> None:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        await self.event({"object": "chat.completion.chunk", "model": self.model, "choices": [choice]})

    async def event(self, event: Json) -> None:
        await self.raw(f"data: {json.dumps(event)}\n\n")

    async def raw(self, text: str) -> None:
        await self.send_bytes(text.encode("utf-8", "surrogatepass"))

    async def send_bytes(self, data: bytes) -> None:
        size = self.script.get("fragment", len(data))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            self.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self.writer.drain()
            if size < len(data):
                await asyncio.sleep(0)  # So that the pieces leave one by one.


class ScriptedModel:
    """The control of a scripted model that runs in another process."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.url}/v1"

    def script(self, *scripts: Json) -> None:
        """Queue these scripts, one for each of the next requests."""
        self._call("/script", list(scripts))

    def always(self, script: Json | None) -> None:
        """Answer with this script whatever is not queued and is not asked for by the prompt itself."""
        self._call("/script", script)

    def forget(self) -> None:
        """Forget what was scripted and nobody has asked for, as a test that failed may leave it."""
        self._call("/forget", None)

    def lists(self, models: Any) -> None:
        """List these when asked for the models: objects with an `id`, or whatever a test wants."""
        self._call("/models", models)

    def release(self, gate: str, count: int = 1) -> None:
        self._call("/release", {"gate": gate, "count": count})

    def requests(self, since: int = 0) -> list[Json]:
        """What was asked so far, in order, but for the first `since`."""
        requests: list[Json] = self._call(f"/requests/{since}")
        return requests

    def _call(self, path: str, body: Any = ...) -> Any:
        data = None if body is ... else json.dumps(body).encode()
        with urlopen(Request(f"{self.url}{path}", data=data), timeout=60) as response:  # noqa: S310  our own loopback
            return json.load(response)


@contextmanager
def running_scripted_model() -> Iterator[ScriptedModel]:
    """A scripted model on a free port for the length of the block."""
    command = [sys.executable, "-m", __name__, "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT)
    assert process.stdout
    try:
        yield ScriptedModel(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def serve(port: int) -> None:
    """Listen on this port of the loopback (0: a free one), print the port, serve until killed."""
    server = await asyncio.start_server(Server().connection, "127.0.0.1", port, backlog=1024, family=socket.AF_INET)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
