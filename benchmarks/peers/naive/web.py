"""The web process: Flask and flask-sock. Each viewer has a Redis subscription of its own."""

import json
import os
from collections.abc import Iterator

import redis
from flask import Flask, request
from flask_sock import Sock
from rq import Queue, Worker
from simple_websocket import Server

from benchmarks.peers.naive import keys

app = Flask(__name__)
sock = Sock(app)
# A subscription keeps its connection: a pool of the usual 100 would end at the hundredth viewer.
client = redis.Redis.from_url(os.environ["REDIS_URL"], max_connections=20_000, decode_responses=True)
queue = Queue(keys.QUEUE, connection=redis.Redis.from_url(os.environ["REDIS_URL"]))


@app.get("/healthz")
def healthz() -> tuple[str, int]:
    """200 as soon as every worker waits for jobs."""
    waiting = Worker.count(queue=queue)
    return (f"{waiting} workers\n", 200 if waiting >= int(os.environ["WORKERS"]) else 503)


@app.post("/streams/<stream>")
def start(stream: str) -> tuple[str, int]:
    queue.enqueue("benchmarks.peers.naive.jobs.generate", stream, request.get_json()["content"], job_timeout="1h")
    return ("", 202)


@sock.route("/streams/<stream>")  # type: ignore[untyped-decorator]  # flask-sock has no types
def follow(ws: Server, stream: str) -> None:
    index = request.args.get("start", 0, type=int)
    for entry in entries(stream, index):
        event = json.loads(entry)
        if event["index"] < index:
            continue  # both in the list and on the channel
        if "end" in event:
            return  # flask-sock closes the socket
        ws.send(entry)
        index += 1


def entries(stream: str, index: int) -> Iterator[str]:
    """The stored entries from this one on, then the live ones, some of which may be among the stored."""
    with client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
        pubsub.subscribe(keys.channel(stream))
        messages = pubsub.listen()
        next(messages)  # the confirmation: what is published from here on is not missed
        yield from map(str, client.lrange(keys.entries(stream), index, -1))
        for message in messages:
            yield message["data"]
