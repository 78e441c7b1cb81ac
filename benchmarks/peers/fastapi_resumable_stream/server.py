"""The whole peer: FastAPI, and the library's stream over Redis. The model is asked by a task of the web process."""

import json
import os
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi_resumable_stream import ResumableStream, streaming_response
from openai import AsyncOpenAI
from redis.asyncio import Redis

app = FastAPI()
# Each viewer has a subscription, which keeps its connection, and takes another for each of its reads.
streams = ResumableStream(Redis.from_url(os.environ["REDIS_URL"], max_connections=20_000))
model = AsyncOpenAI()  # as OPENAI_BASE_URL and OPENAI_API_KEY say


@app.get("/healthz")
async def healthz() -> str:
    return "ready"


@app.post("/streams/{stream}")
async def start(stream: str, request: Request) -> Response:
    content = (await request.json())["content"]
    # It returns an iterator for whoever started it. Here nobody reads that one, and nothing is done for it.
    await streams.start(stream, lambda: events(content))
    return Response(status_code=202)


@app.get("/streams/{stream}")
async def follow(stream: str, start: int = 0) -> Response:
    chunks = await streams.resume(stream, after=start)
    return Response(status_code=404) if chunks is None else streaming_response(chunks)


async def events(content: str) -> AsyncIterator[str]:
    answer = await model.chat.completions.create(
        model="scripted", messages=[{"role": "user", "content": content}], stream=True
    )
    async for chunk in answer:
        if chunk.choices and (text := chunk.choices[0].delta.content):
            yield f"data: {json.dumps({'text': text})}\n\n"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
