// The whole peer: Node's own server, and the resumable-stream package over Redis. The model is asked by this process.
// The library keeps the text in this process, and a position is a number of characters of it.

import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'

import OpenAI from 'openai'
import { createResumableStreamContext } from 'resumable-stream'

// Both as the environment says: REDIS_URL, and OPENAI_BASE_URL with OPENAI_API_KEY.
const streams = createResumableStreamContext({ waitUntil: null })
const model = new OpenAI()

/** What the model says, as server-sent events. */
function events(content) {
  return new ReadableStream({
    async start(controller) {
      const messages = [{ role: 'user', content }]
      const answer = await model.chat.completions.create({ model: 'scripted', messages, stream: true })
      for await (const chunk of answer) {
        const text = chunk.choices[0]?.delta.content
        if (text) controller.enqueue(`data: ${JSON.stringify({ text })}\n\n`)
      }
      controller.close()
    },
  })
}

async function start(id, request, response) {
  const { content } = await json(request)
  // It returns a stream for whoever started it. Here nobody reads that one; the library goes on all the same.
  await streams.createNewResumableStream(id, () => events(content))
  response.writeHead(202).end()
}

async function follow(id, position, response) {
  const stream = await streams.resumeExistingStream(id, position)
  if (!stream) {
    response.writeHead(stream === null ? 422 : 404).end() // already over, or never begun
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  await pipeline(stream, response).catch((error) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error // the viewer has left
  })
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost')
  const id = url.pathname.match(/^\/streams\/([^/]+)$/)?.[1]
  try {
    if (url.pathname === '/healthz') response.end('ready\n')
    else if (id && request.method === 'POST') await start(id, request, response)
    else if (id && request.method === 'GET') await follow(id, Number(url.searchParams.get('start')), response)
    else response.writeHead(404).end()
  } catch (error) {
    console.error(error)
    response.destroy()
  }
})

server.listen({ host: '127.0.0.1', port: Number(process.env.PORT), backlog: 2048 }) // as the other servers have it
