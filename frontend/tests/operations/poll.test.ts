import { describe, expect, it } from 'vitest'
import { Poll } from '../../src/operations/poll'
import { World } from '../support/world'

/** A server that answers when the test lets it. */
class Server {
  readonly asked: { answer(value: number): Promise<void>; fail(): Promise<void>; readonly signal: AbortSignal }[] = []
  readonly heard: number[] = []
  failures = 0

  ask = (signal: AbortSignal): Promise<number> =>
    new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')))
      this.asked.push({
        signal,
        answer: async (value) => {
          resolve(value)
          await settled()
        },
        fail: async () => {
          reject(new Error('no'))
          await settled()
        },
      })
    })

  get last() {
    const last = this.asked.at(-1)
    if (!last) throw new Error('nothing was asked')
    return last
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

function polling(): { world: World; server: Server; poll: Poll<number> } {
  const world = new World()
  const server = new Server()
  const poll = new Poll(
    world,
    2000,
    server.ask,
    (value) => server.heard.push(value),
    () => {
      server.failures++
    },
  )
  return { world, server, poll }
}

describe('asking again and again', () => {
  it('asks at once, and again some time after each answer', async () => {
    const { world, server } = polling()
    expect(server.asked).toHaveLength(1)
    world.pass(5000)
    expect(server.asked).toHaveLength(1)
    await server.last.answer(1)
    world.pass(1999)
    expect(server.asked).toHaveLength(1)
    world.pass(1)
    expect(server.asked).toHaveLength(2)
    await server.last.answer(2)
    expect(server.heard).toEqual([1, 2])
  })

  it('does not ask while nobody looks, and asks at once when somebody does again', async () => {
    const { world, server } = polling()
    await server.last.answer(1)
    world.show(false)
    world.pass(2000)
    expect(server.asked).toHaveLength(2) // what was due before, and then no more
    await server.last.answer(2)
    world.pass(60_000)
    expect(server.asked).toHaveLength(2)
    world.show(true)
    expect(server.asked).toHaveLength(3)
  })

  it('asks less often while nothing is answered, and as before when it is', async () => {
    const { world, server } = polling()
    for (let failure = 0; failure < 10; failure++) {
      await server.last.fail()
      world.pass(10_000)
    }
    expect(server.failures).toBe(10)
    expect(server.asked).toHaveLength(11)
    await server.last.answer(1)
    world.pass(2000)
    expect(server.asked).toHaveLength(12)
  })

  it('waits for no answer for ever', async () => {
    const { world, server } = polling()
    world.pass(10_000)
    await settled()
    expect(server.failures).toBe(1)
  })

  it('asks anew when it is told to, and does not hear the answer to what was asked before', async () => {
    const { server, poll } = polling()
    const [first] = server.asked
    poll.now()
    await first?.answer(1)
    await server.last.answer(2)
    expect(server.heard).toEqual([2])
    expect(server.failures).toBe(0)
  })

  it('hears and asks nothing after it was closed', async () => {
    const { world, server, poll } = polling()
    poll.close()
    await server.last.answer(1)
    world.pass(60_000)
    world.show(false)
    world.show(true)
    poll.now()
    expect(server.asked).toHaveLength(1)
    expect(server.heard).toEqual([])
  })
})
