import { describe, expect, test } from 'vitest'
import { EMPTY, type StreamLog } from '../../src/stream/log'
import { LogStorage, MAX_KEPT } from '../../src/stream/storage'
import { Shelf, World } from '../support/world'

function log(text: string, next = 1): StreamLog {
  return { ...EMPTY, phase: 'running', epoch: 'e', next, text, reasoning: 'hm' }
}

function setUp(quota?: number) {
  const shelf = new Shelf(quota)
  const world = new World(shelf)
  return { shelf, world, storage: new LogStorage(world), reloaded: () => new LogStorage(new World(shelf)) }
}

describe('keeping', () => {
  test('text and position come back together', () => {
    const { storage, reloaded } = setUp()
    storage.keep('a', log('Once', 3))
    storage.flush()
    expect(reloaded().load('a')).toEqual({ ...log('Once', 3), phase: 'unknown' })
  })

  test('what the text waits for comes back too, and is not missed where it was not kept', () => {
    const { shelf, storage, reloaded } = setUp()
    storage.keep('a', { ...log('', 1), note: 'The model is loading…' })
    storage.flush()
    expect(reloaded().load('a')?.note).toBe('The model is loading…')
    shelf.setItem('rejoinder:stream:b', '{"epoch":"e","next":1,"text":"Once","reasoning":"","end":null,"written":1}')
    expect(reloaded().load('b')).toMatchObject({ text: 'Once', note: '' })
  })

  test('an ended stream comes back ended', () => {
    const { storage, reloaded } = setUp()
    const end = { outcome: 'failed' as const, reason: 'no', usage: null }
    storage.keep('a', { ...log('Once'), phase: 'ended', end })
    storage.flush()
    expect(reloaded().load('a')).toMatchObject({ phase: 'ended', end, text: 'Once' })
  })

  test('it writes at most every 250 ms, and then the newest', () => {
    const { storage, world, shelf, reloaded } = setUp()
    for (let index = 1; index <= 100; index += 1) {
      storage.keep('a', log('x'.repeat(index), index))
      world.pass(10)
    }
    world.pass(250)
    expect(shelf.writes).toBe(4)
    expect(reloaded().load('a')?.next).toBe(100)
  })

  test('what is not written yet is written as the page goes', () => {
    for (const go of [(world: World) => world.happen('pagehide'), (world: World) => world.show(false)]) {
      const { storage, world, reloaded } = setUp()
      storage.keep('a', log('Once'))
      expect(reloaded().load('a')).toBeNull()
      go(world)
      expect(reloaded().load('a')?.text).toBe('Once')
    }
  })

  test('what is forgotten is not written after all', () => {
    const { storage, reloaded } = setUp()
    storage.keep('a', log('Once'))
    storage.forget('a')
    storage.flush()
    expect(reloaded().load('a')).toBeNull()
  })

  test('a stream that is gone is dropped', () => {
    const { storage, reloaded } = setUp()
    storage.keep('a', log('Once'))
    storage.flush()
    storage.keep('a', { ...log('Once'), phase: 'gone' })
    storage.flush()
    expect(reloaded().load('a')).toBeNull()
  })
})

describe('bounds', () => {
  test('a full storage loses the oldest streams, never half of one', () => {
    const { storage, shelf, reloaded } = setUp(1_000)
    for (const stream of ['a', 'b', 'c']) {
      storage.keep(stream, log(stream.repeat(300)))
      storage.flush()
    }
    storage.keep('b', log('b'.repeat(310)))
    storage.flush()
    storage.keep('d', log('d'.repeat(300)))
    storage.flush()
    const kept = ['a', 'b', 'c', 'd'].filter((stream) => reloaded().load(stream))
    expect(kept).toEqual(['b', 'd'])
    expect(shelf.length).toBe(2)
  })

  test('a text that fits nowhere is not kept, and neither is its older half', () => {
    const { storage, shelf } = setUp(500)
    storage.keep('a', log('x'.repeat(300)))
    storage.flush()
    storage.keep('a', log('x'.repeat(600)))
    storage.flush()
    expect(shelf.length).toBe(0)
  })

  test('all streams together stay within the limit', () => {
    const { storage, reloaded } = setUp()
    for (const stream of ['a', 'b', 'c']) {
      storage.keep(stream, log('x'.repeat(MAX_KEPT * 0.4)))
      storage.flush()
    }
    expect(['a', 'b', 'c'].filter((stream) => reloaded().load(stream))).toEqual(['b', 'c'])
  })

  test('what others keep there is left alone', () => {
    const { storage, shelf } = setUp(1_000)
    shelf.setItem('theirs', 'x'.repeat(600))
    storage.keep('a', log('x'.repeat(600)))
    storage.flush()
    expect(shelf.getItem('theirs')).toHaveLength(600)
    expect(shelf.length).toBe(1)
  })
})

describe('what cannot be trusted', () => {
  for (const value of ['', '{', 'null', '{"epoch":1}', '{"epoch":"e","next":"1","text":"","reasoning":""}']) {
    test(`${JSON.stringify(value)} is as nothing`, () => {
      const { storage, shelf } = setUp()
      shelf.setItem('rejoinder:stream:a', value)
      expect(storage.load('a')).toBeNull()
    })
  }

  test('a browser without storage works without', () => {
    const storage = new LogStorage(new World(null))
    storage.keep('a', log('Once'))
    storage.flush()
    storage.forget('a')
    expect(storage.load('a')).toBeNull()
  })
})
