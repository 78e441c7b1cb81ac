/** For every order in which frames can be lost, repeated, delayed or cut off, the text is the whole text. */

import assert from 'node:assert/strict' // a hundred thousand times; `expect` is slow
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StreamClient, type StreamLog } from '../../src/stream'
import type { Outcome } from '../../src/stream/frames'
import { type Entry, Origin, STREAM } from '../support/origin'
import { Shelf, World } from '../support/world'

const OUTCOMES: Outcome[] = ['finished', 'failed', 'cancelled', 'interrupted']

/** A page that follows the stream, in a tab that can be refreshed. */
class Page {
  readonly world: World
  readonly client: StreamClient
  readonly logs: StreamLog[] = []
  readonly origin: Origin

  constructor(origin: (world: World) => Origin, shelf: Shelf) {
    this.world = new World(shelf)
    this.origin = origin(this.world)
    this.client = new StreamClient(this.world, '/api/socket')
    this.client.follow(STREAM, (log) => this.logs.push(log))
    this.world.pass(0)
  }

  get log(): StreamLog {
    return this.client.log(STREAM)
  }

  get ends(): number {
    return this.logs.filter((log, at) => log.end && !this.logs[at - 1]?.end).length
  }

  deliver(): void {
    const frame = this.origin.wire.shift()
    if (frame) this.world.socket.say(frame)
    this.check()
  }

  deliverAll(): void {
    while (this.origin.wire.length > 0) this.deliver()
  }

  cut(code?: number): void {
    this.world.socket.cut(code)
    this.origin.wire = []
    const before = this.world.sockets.length
    while (this.world.sockets.length === before) this.world.pass(100) // it waits longer after each that did no work
    this.world.pass(0)
    this.check()
  }

  /** What is held is always a true beginning of one incarnation of the text: nothing skipped, nothing twice. */
  check(): void {
    const { epoch, next, text, reasoning, note } = this.log
    if (epoch === null) assert.deepEqual([next, text, reasoning], [0, '', ''])
    if (epoch === null) return
    assert.equal(text, this.origin.textUpTo(epoch, next, 'text'))
    assert.equal(reasoning, this.origin.textUpTo(epoch, next, 'reasoning'))
    assert.equal(note, this.origin.noteAt(epoch, next))
  }
}

function numbered(kinds: readonly Entry['kind'][], name = ''): Entry[] {
  return kinds.map((kind, index) => ({ kind, text: `${name}${kind[0]}${index}·` }))
}

function expectWhole(page: Page, entries: readonly Entry[], outcome: Outcome): void {
  const joined = (kind: Entry['kind']) => entries.map((entry) => (entry.kind === kind ? entry.text : '')).join('')
  expect(page.log.text).toBe(joined('text'))
  expect(page.log.reasoning).toBe(joined('reasoning'))
  expect(page.log.next).toBe(entries.length + 1)
  expect(page.log.end?.outcome).toBe(outcome)
  expect(page.log.held).toEqual([])
  expect(page.ends).toBe(1)
}

const kind = fc.constantFrom<Entry['kind']>('text', 'text', 'text', 'reasoning', 'note')
const kinds = fc.array(kind, { maxLength: 14 })
const action = fc.oneof(
  { weight: 6, arbitrary: fc.constant('append' as const) },
  { weight: 8, arbitrary: fc.constant('deliver' as const) },
  { weight: 2, arbitrary: fc.constant('lose' as const) },
  { weight: 2, arbitrary: fc.constant('repeat' as const) },
  { weight: 2, arbitrary: fc.constant('swap' as const) },
  { weight: 2, arbitrary: fc.constant('delay' as const) },
  { weight: 1, arbitrary: fc.constant('cut' as const) },
  { weight: 1, arbitrary: fc.constant('restart' as const) },
  { weight: 1, arbitrary: fc.constant('refresh' as const) },
  { weight: 1, arbitrary: fc.constant('other epoch' as const) },
)

test('whatever the wire does, the page holds a true beginning at every moment and the whole at the end', () => {
  fc.assert(
    fc.property(kinds, fc.array(action, { maxLength: 60 }), fc.constantFrom(...OUTCOMES), (kinds, actions, outcome) => {
      const shelf = new Shelf()
      let origin: Origin | undefined
      let epochs = 0
      let entries = numbered(kinds, 'a')
      let waiting = [...entries]
      const open = () =>
        new Page((world) => {
          origin = origin ? origin.moveTo(world) : new Origin(world)
          return origin
        }, shelf)
      let page = open()

      for (const action of actions) {
        const wire = page.origin.wire
        if (action === 'append') {
          if (page.origin.epoch === null) page.origin.begin(`e${epochs++}`)
          const entry = waiting.shift()
          if (entry) page.origin.append(entry)
        } else if (action === 'deliver') page.deliver()
        else if (action === 'lose') wire.shift()
        else if (action === 'repeat') wire.splice(0, 0, ...wire.slice(0, 1))
        else if (action === 'swap') wire.splice(0, 2, ...wire.slice(0, 2).reverse())
        else if (action === 'delay') wire.push(...wire.splice(0, 1))
        else if (action === 'cut') page.cut()
        else if (action === 'restart') page.cut(1012)
        else if (action === 'refresh') {
          page.world.happen('pagehide')
          page.client.close()
          page = open()
        } else if (action === 'other epoch' && page.origin.epoch !== null && waiting.length > 0) {
          entries = numbered(kinds, `b${epochs}`)
          waiting = [...entries]
          page.origin.begin(`e${epochs++}`)
        }
        page.check()
      }

      if (page.origin.epoch === null) page.origin.begin('e0')
      for (const entry of waiting) page.origin.append(entry)
      page.origin.end(outcome)
      page.cut() // what was lost at the very end shows only when the positions are compared again
      page.deliverAll()
      expectWhole(page, entries, outcome)
    }),
    { numRuns: 300 },
  )
})

test('a connection that is cut after any number of frames goes on from the next chunk', () => {
  const entries = numbered(['reasoning', 'text', 'text', 'reasoning', 'text', 'text', 'text'])
  for (let cutAfter = 0; cutAfter <= entries.length + 2; cutAfter += 1) {
    const page = new Page((world) => new Origin(world), new Shelf())
    page.origin.begin('e')
    for (const entry of entries) page.origin.append(entry)
    page.origin.end('finished')
    for (let delivered = 0; delivered < cutAfter; delivered += 1) page.deliver()
    const { epoch, next } = page.log
    page.cut()
    if (page.ends === 0) {
      const resumed = { type: 'follow', stream: STREAM, position: `${epoch}:${next}` }
      expect(page.world.socket.sent).toEqual(epoch === null ? [{ type: 'follow', stream: STREAM }] : [resumed])
    }
    page.deliverAll()
    expectWhole(page, entries, 'finished')
  }
})

test('frames that arrive in any order at all are held until the gap is filled', () => {
  const entries = numbered(['text', 'reasoning', 'text', 'text', 'text'])
  fc.assert(
    fc.property(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 }),
      fc.array(fc.nat({ max: 5 }), { maxLength: 6 }),
      (order, repeats) => {
        const page = new Page((world) => new Origin(world), new Shelf())
        page.origin.begin('e')
        page.deliverAll()
        for (const entry of entries) page.origin.append(entry)
        page.origin.end('failed')
        const frames = page.origin.wire
        page.origin.wire = []
        for (const index of [...order.flatMap((at) => [at, ...repeats.slice(at, at + 1)]), ...order]) {
          const frame = frames[index]
          if (frame) page.world.socket.say(frame)
          page.check()
        }
        expectWhole(page, entries, 'failed')
      },
    ),
  )
})
