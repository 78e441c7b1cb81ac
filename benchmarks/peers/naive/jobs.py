"""What the worker runs: one generation. Two Redis calls for each token."""

import json
import os

import redis
from openai import OpenAI

from benchmarks.peers.naive import keys

client = redis.Redis.from_url(os.environ["REDIS_URL"])
model = OpenAI()  # as OPENAI_BASE_URL and OPENAI_API_KEY say


def generate(stream: str, content: str) -> None:
    """Ask the model, and write its answer as it comes."""
    index = 0
    answer = model.chat.completions.create(
        model="scripted", messages=[{"role": "user", "content": content}], stream=True
    )
    for chunk in answer:
        if chunk.choices and (text := chunk.choices[0].delta.content):
            _write(stream, {"index": index, "text": text})
            index += 1
    _write(stream, {"index": index, "end": True})
    client.expire(keys.entries(stream), keys.RETENTION)


def _write(stream: str, event: dict[str, object]) -> None:
    entry = json.dumps(event)
    client.rpush(keys.entries(stream), entry)
    client.publish(keys.channel(stream), entry)
