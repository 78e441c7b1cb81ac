"""The whole peer: Starlette, and the library's store in Redis. The model is asked by a task of the web process.

The library's responses have no position: who comes again gets everything again.
"""

import os

import uvicorn
from assistant_stream.create_run import RunController
from assistant_stream.resumable import (
    create_redis_resumable_stream_store,
    create_resumable_assistant_stream_response,
    create_resumable_stream_context,
    create_resume_assistant_stream_response,
)
from openai import AsyncOpenAI
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

# All viewers may read at the same time, each over a connection of the pool.
client = Redis.from_url(os.environ["REDIS_URL"], max_connections=20_000)
context = create_resumable_stream_context(store=create_redis_resumable_stream_store(client))
model = AsyncOpenAI()  # as OPENAI_BASE_URL and OPENAI_API_KEY say


async def healthz(_request: Request) -> Response:
    return PlainTextResponse("ready\n")


async def start(request: Request) -> Response:
    content = (await request.json())["content"]

    async def run(controller: RunController) -> None:
        answer = await model.chat.completions.create(
            model="scripted", messages=[{"role": "user", "content": content}], stream=True
        )
        async for chunk in answer:
            if chunk.choices and (text := chunk.choices[0].delta.content):
                controller.append_text(text)

    # It returns a response for whoever started it. Here nobody sends that one, and nothing is done for it.
    await create_resumable_assistant_stream_response(
        context=context, stream_id=request.path_params["stream"], callback=run
    )
    return Response(status_code=202)


async def follow(request: Request) -> Response:
    return await create_resume_assistant_stream_response(context=context, stream_id=request.path_params["stream"])


app = Starlette(
    routes=[
        Route("/healthz", healthz),
        Route("/streams/{stream}", start, methods=["POST"]),
        Route("/streams/{stream}", follow),
    ]
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
