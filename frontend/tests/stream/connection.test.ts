import { beforeEach, describe, expect, test } from 'vitest'
import { Connection } from '../../src/stream/connection'
import type { ServerFrame } from '../../src/stream/frames'
import { World } from '../support/world'

let world: World
let frames: ServerFrame[]
let lost: number[]
let connection: Connection

beforeEach(() => {
  world = new World()
  frames = []
  lost = []
  connection = new Connection(world, '/api/socket', {
    frame: (it) => frames.push(it),
    lost: ({ code }) => lost.push(code),
  })
  world.pass(0)
})

function greet(heartbeat = 20): void {
  world.socket.say({ type: 'hello', heartbeat })
}

describe('opening', () => {
  test('it is live from hello on, and sends nothing before', () => {
    connection.send({ type: 'ping' })
    expect([connection.live, world.socket.sent]).toEqual([false, []])
    greet()
    connection.send({ type: 'ping' })
    expect([connection.live, world.socket.sent]).toEqual([true, [{ type: 'ping' }]])
  })

  test('a server that never greets is lost after ten seconds', () => {
    world.pass(9_999)
    expect(lost).toEqual([])
    world.pass(1)
    expect(lost).toEqual([1006])
  })
})

describe('silence', () => {
  test('two heartbeat intervals without a frame mean that it is dead', () => {
    greet(20)
    world.pass(39_999)
    expect(lost).toEqual([])
    world.pass(1)
    expect(lost).toEqual([1006])
    expect(world.socket.open).toBe(false)
  })

  test('any frame breaks the silence', () => {
    greet(20)
    for (let times = 0; times < 10; times += 1) {
      world.pass(30_000)
      world.socket.say({ type: 'heartbeat' })
    }
    expect(lost).toEqual([])
    world.pass(40_000)
    expect(lost).toEqual([1006])
  })

  test('a page that slept asks first: its timers were late, not the server', () => {
    greet(20)
    world.sleep(600_000)
    expect(lost).toEqual([])
    expect(world.socket.sent).toEqual([{ type: 'ping' }])
    world.socket.say({ type: 'pong' })
    world.pass(39_000)
    expect(lost).toEqual([])
  })
})

describe('probing', () => {
  test('no answer within three seconds means that it is dead', () => {
    greet()
    connection.probe()
    world.pass(2_999)
    expect(lost).toEqual([])
    world.pass(1)
    expect(lost).toEqual([1006])
  })

  test('any frame is an answer, and one probe at a time is enough', () => {
    greet()
    connection.probe()
    connection.probe()
    expect(world.socket.sent).toEqual([{ type: 'ping' }])
    world.socket.say({ type: 'heartbeat' })
    world.pass(5_000)
    expect(lost).toEqual([])
  })
})

describe('the end of it', () => {
  test('a close is told once, with its code, and nothing is heard afterwards', () => {
    greet()
    connection.probe()
    world.socket.cut(1012)
    connection.abandon()
    world.pass(100_000)
    expect(lost).toEqual([1012])
    expect(connection.live).toBe(false)
    expect(world.leftOver).toBe(0)
  })

  test('a frame that comes after it was given up is not heard', () => {
    greet()
    const { socket } = world
    connection.abandon()
    socket.open = true // the network returns, and with it what was on its way
    socket.say({ type: 'pong' })
    expect(frames.map((frame) => frame.type)).toEqual(['hello'])
  })

  test('closing it is not a loss', () => {
    greet()
    connection.close()
    expect([lost, world.leftOver]).toEqual([[], 0])
  })
})

test('a frame that it cannot read is reported and passed over', () => {
  greet()
  world.socket.say({ type: 'telepathy' })
  world.socket.sayRaw('{')
  world.socket.say({ type: 'pong' })
  expect(frames.map((frame) => frame.type)).toEqual(['hello', 'pong'])
  expect(world.reports).toEqual(['unknown frame type "telepathy"', 'not JSON: {'])
  expect(lost).toEqual([])
})
