"""The web process: asks the model as our worker does, and hands on what comes. Whoever is cut off has lost it."""

import json
import os
from collections.abc import Iterator

import gevent
from flask import Flask, Response, request

from workers.backoff import Backoff
from workers.providers.openai_chat import OpenAIChat
from workers.providers.source import Delta

CONNECTIONS = 10_000  # to the model: one for each client

app = Flask(__name__)
chat = OpenAIChat(
    base_url=os.environ["OPENAI_BASE_URL"],
    api_key=os.environ["OPENAI_API_KEY"],
    default_model="scripted",
    connections=CONNECTIONS,
    connect_timeout=10.0,
    attempts=1,
    patience=60.0,
    backoff=Backoff(),
    sleep=gevent.sleep,
    give_way=gevent.sleep,
)
chat.warm_up()


@app.get("/healthz")
def healthz() -> str:
    return "ready\n"


@app.post("/streams/<stream>")
def answer(stream: str) -> Response:  # noqa: ARG001  nothing is kept under this name
    return Response(events(request.get_json()["content"]), mimetype="text/event-stream")


def events(content: str) -> Iterator[str]:
    for event in chat.stream("scripted", [{"role": "user", "content": content}]):
        if isinstance(event, Delta):
            yield f"data: {json.dumps({'text': event.text})}\n\n"
