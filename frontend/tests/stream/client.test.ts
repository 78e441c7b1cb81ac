import { beforeEach, describe, expect, test } from 'vitest'
import { type Link, StreamClient, type StreamLog } from '../../src/stream'
import { World } from '../support/world'

const EPOCH = 'k3J9xQ'
let world: World
let client: StreamClient

beforeEach(() => {
  world = new World()
  open()
})

function open(): void {
  client = new StreamClient(world, '/api/socket')
  world.pass(0)
}

function greet(): void {
  world.socket.say({ type: 'hello', heartbeat: 20 })
}

function chunks(stream: string, start: number, text: string, stop = start + 1): void {
  world.socket.say({ type: 'chunks', stream, epoch: EPOCH, start, stop, text })
}

function following(stream: string, index: number): void {
  world.socket.say({ type: 'following', stream, epoch: EPOCH, index, state: 'running' })
}

function end(stream: string, start: number): void {
  world.socket.say({ type: 'end', stream, epoch: EPOCH, start, stop: start + 1, outcome: 'finished' })
}

const ignored = () => {}

describe('many over one connection', () => {
  test('what is asked before hello is sent with it, and streams do not mix', () => {
    client.follow('a', ignored)
    client.follow('b', ignored)
    client.watch('c', 7, ignored)
    greet()
    expect(world.sockets).toHaveLength(1)
    expect(world.socket.sent).toEqual([
      { type: 'follow', stream: 'a' },
      { type: 'follow', stream: 'b' },
      { type: 'watch', conversation: 'c', version: 7 },
    ])
    following('a', 0)
    following('b', 0)
    chunks('a', 0, 'A')
    chunks('b', 0, 'B')
    expect([client.log('a').text, client.log('b').text]).toEqual(['A', 'B'])
  })

  test('after a reconnect all positions are sent, but not those of streams that ended', () => {
    greet()
    client.follow('a', ignored)
    client.follow('b', ignored)
    client.watch('c', 7, ignored)
    following('a', 0)
    chunks('a', 0, 'Once upon', 5)
    following('b', 0)
    end('b', 0)
    world.socket.cut()
    world.pass(1_000)
    greet()
    expect(world.socket.sent).toEqual([
      { type: 'follow', stream: 'a', position: `${EPOCH}:5` },
      { type: 'watch', conversation: 'c', version: 7 },
    ])
  })

  test('a stream that is no longer followed is unfollowed, and what still comes of it is not heard', () => {
    greet()
    const logs: StreamLog[] = []
    const stop = client.follow('a', (log) => logs.push(log))
    stop()
    following('a', 0)
    expect(logs).toHaveLength(1)
    expect(world.socket.sent.at(-1)).toEqual({ type: 'unfollow', stream: 'a' })
  })

  test('two listeners of one stream share it until the second leaves', () => {
    greet()
    const stopFirst = client.follow('a', ignored)
    const stopSecond = client.follow('a', ignored)
    stopFirst()
    stopFirst()
    expect(world.socket.sent).toEqual([{ type: 'follow', stream: 'a' }])
    stopSecond()
    expect(world.socket.sent.at(-1)).toEqual({ type: 'unfollow', stream: 'a' })
  })
})

describe('news', () => {
  test('only what is newer is told', () => {
    greet()
    const versions: number[] = []
    client.watch('c', 7, (version) => versions.push(version))
    for (const version of [6, 7, 8]) world.socket.say({ type: 'news', conversation: 'c', version })
    expect(versions).toEqual([8])
  })

  test('the version that the page has is sent after a reconnect: news that it could not use come again', () => {
    greet()
    client.watch('c', 7, ignored)
    world.socket.say({ type: 'news', conversation: 'c', version: 8 })
    world.socket.cut()
    world.pass(1_000)
    greet()
    expect(world.socket.sent).toEqual([{ type: 'watch', conversation: 'c', version: 7 }])
  })

  test('a watch that was replaced cannot take back the one that replaced it', () => {
    greet()
    const stopFirst = client.watch('c', 7, ignored)
    const stopSecond = client.watch('c', 8, ignored)
    stopFirst()
    expect(world.socket.sent.map((frame) => frame.type)).toEqual(['watch', 'watch'])
    stopSecond()
    expect(world.socket.sent.at(-1)).toEqual({ type: 'unwatch', conversation: 'c' })
  })
})

describe('beside a conversation', () => {
  const remark = { id: 'r', change: 4, content: 'Hm', created_at: '2026-01-01T00:00:00Z', removed: false }
  const author = { name: 'Bob', tag: 'b', owner: false }

  test('what is known is sent with the watch, and again as it is then after a reconnect', () => {
    greet()
    let known = { changes: 3 as number | null, viewers: 0 }
    const told: unknown[] = []
    client.watch('c', 7, ignored, {
      changes: () => known.changes,
      viewers: () => known.viewers,
      discussed: (remarks) => told.push(remarks),
      viewed: (viewers) => told.push(viewers),
    })
    world.socket.say({ type: 'remarks', conversation: 'c', remarks: [{ ...remark, author }] })
    world.socket.say({ type: 'audience', conversation: 'c', viewers: 2 })
    world.socket.say({ type: 'audience', conversation: 'another', viewers: 9 })
    expect(told).toEqual([[{ ...remark, author }], 2])
    known = { changes: 4, viewers: 2 }
    world.socket.cut()
    world.pass(1_000)
    greet()
    expect(world.socket.sent).toEqual([{ type: 'watch', conversation: 'c', version: 7, remarks: 4, viewers: 2 }])
  })

  test('who takes no part in the discussion does not ask for it', () => {
    greet()
    const none = { changes: () => null, viewers: () => 0, discussed: ignored, viewed: ignored }
    client.watch('c', 7, ignored, none)
    expect(world.socket.sent).toEqual([{ type: 'watch', conversation: 'c', version: 7, viewers: 0 }])
  })
})

describe('a share that is over', () => {
  for (const code of [4404, 4410]) {
    test(`is told once, and nobody comes back after ${code}`, () => {
      const links: Link[] = []
      client.onLink((link) => links.push(link))
      greet()
      world.socket.cut(code)
      world.pass(120_000)
      world.happen('online')
      world.happen('visibilitychange')
      expect(links).toEqual(['live', 'shut'])
      expect(world.sockets).toHaveLength(1)
    })
  }
})

describe('an answer that goes on from where this tab had it', () => {
  let resumed: number
  beforeEach(() => {
    resumed = 0
    client.onResume(() => {
      resumed += 1
    })
    greet()
    client.follow('a', ignored)
    following('a', 0)
    chunks('a', 0, 'Once upon', 5)
  })

  test('is told after a reconnect, once', () => {
    expect(resumed).toBe(0)
    world.socket.cut()
    world.pass(1_000)
    greet()
    following('a', 5)
    expect(resumed).toBe(1)
    chunks('a', 6, 'time') // a gap, which is asked for
    following('a', 5)
    expect(resumed).toBe(1)
  })

  test('is not told when it had ended meanwhile', () => {
    world.socket.cut()
    world.pass(1_000)
    greet()
    world.socket.say({ type: 'following', stream: 'a', epoch: EPOCH, index: 5, state: 'ended' })
    expect(resumed).toBe(0)
  })
})

describe('a gap', () => {
  beforeEach(() => {
    greet()
    client.follow('a', ignored)
    following('a', 0)
    chunks('a', 0, 'a')
  })

  test('is asked for once, from where the text ends', () => {
    chunks('a', 2, 'c')
    chunks('a', 3, 'd')
    expect(world.socket.sent.slice(1)).toEqual([{ type: 'follow', stream: 'a', position: `${EPOCH}:1` }])
    following('a', 1)
    chunks('a', 1, 'bcd', 4)
    expect(client.log('a').text).toBe('abcd')
    expect(world.sockets).toHaveLength(1)
  })

  test('that asking does not fill makes it try another connection', () => {
    chunks('a', 2, 'c')
    following('a', 1)
    chunks('a', 2, 'c')
    expect(client.link).toBe('reconnecting')
    world.pass(1_000)
    greet()
    expect(world.socket.sent).toEqual([{ type: 'follow', stream: 'a', position: `${EPOCH}:1` }])
  })
})

describe('coming back', () => {
  test('attempts wait longer and longer, and begin anew after a connection that did its work', () => {
    world.chance = 0.999
    const waits = () => {
      const before = world.sockets.length
      const from = world.now()
      while (world.sockets.length === before) world.pass(1)
      return Math.round((world.now() - from) / 100) * 100
    }
    const lose = () => {
      world.socket.cut()
      return waits()
    }
    expect([lose(), lose(), lose(), lose()]).toEqual([500, 1000, 2000, 4000])
    greet()
    following('a', 0)
    expect(lose(), 'a server in trouble greets, and closes').toBe(8000)
    greet()
    chunks('a', 0, 'A')
    expect(lose()).toBe(500)
  })

  test('a 404 is believed when a second socket says it: the first may have been opened before the cookie', () => {
    greet()
    let log: StreamLog | undefined
    client.follow('a', (next) => {
      log = next
    })
    const unknown = { type: 'gone', stream: 'a', problem: { status: 404, title: 'Not found', detail: null } }
    world.socket.say(unknown)
    expect(log?.phase).toBe('unknown')
    world.pass(1_000)
    greet()
    expect(world.socket.sent).toEqual([{ type: 'follow', stream: 'a' }])
    world.socket.say(unknown)
    expect(log?.phase).toBe('gone')
    expect(world.sockets).toHaveLength(2)
  })

  test('whoever has become somebody else asks by another socket, from where they were', () => {
    greet()
    let log: StreamLog | undefined
    client.follow('a', (next) => {
      log = next
    })
    following('a', 0)
    chunks('a', 0, 'Once upon', 2)
    client.renew()
    world.pass(1_000)
    greet()
    expect(world.sockets).toHaveLength(2)
    expect(world.socket.sent).toEqual([{ type: 'follow', stream: 'a', position: `${EPOCH}:2` }])
    expect(log?.text).toBe('Once upon')
  })

  test('a server that restarts is tried again at the moment that it named', () => {
    greet()
    world.socket.cut(1012, 'The server restarts. Come back in 700 ms.')
    world.pass(699)
    expect(world.sockets).toHaveLength(1)
    world.pass(1)
    expect(world.sockets).toHaveLength(2)
  })

  test('one that names none is tried again after a random moment of up to two seconds', () => {
    greet()
    world.chance = 0.75
    world.socket.cut(1012)
    world.pass(1_499)
    expect(world.sockets).toHaveLength(1)
    world.pass(1)
    expect(world.sockets).toHaveLength(2)
  })

  for (const [name, happen] of [
    ['the page comes to the front', () => world.show(true)],
    ['it comes out of the back-forward cache', () => world.happen('pageshow')],
    ['the network returns', () => world.setOnline(true)],
  ] as [string, () => void][]) {
    test(`${name}: it does not wait for the timer`, () => {
      world.chance = 0.999
      for (let times = 0; times < 8; times += 1) {
        world.socket.cut()
        if (times < 7) world.pass(30_000)
      }
      const before = world.sockets.length
      happen()
      expect(world.sockets).toHaveLength(before + 1)
    })

    test(`${name}: a connection that does not answer within three seconds is replaced`, () => {
      greet()
      happen()
      expect(world.socket.sent).toEqual([{ type: 'ping' }])
      world.pass(3_000 + 500)
      expect(world.sockets).toHaveLength(2)
    })

    test(`${name}: a connection that answers stays`, () => {
      greet()
      happen()
      world.socket.say({ type: 'pong' })
      world.pass(30_000)
      expect(world.sockets).toHaveLength(1)
    })
  }

  test('a page that goes to the back does not ask', () => {
    greet()
    world.show(false)
    expect(world.socket.sent).toEqual([])
  })
})

describe('the link', () => {
  let links: Link[]
  beforeEach(() => {
    links = [client.link]
    client.onLink((link) => links.push(link))
  })

  test('connecting, live, reconnecting, live', () => {
    greet()
    world.socket.cut()
    world.pass(1_000)
    greet()
    expect(links).toEqual(['connecting', 'live', 'reconnecting', 'live'])
  })

  test('offline at once when the browser says so, and live again as soon as anything arrives', () => {
    greet()
    world.setOnline(false)
    expect(client.link).toBe('offline')
    world.pass(4_000) // the probe fails, and so does every attempt
    world.socket.cut()
    world.setOnline(true)
    greet()
    expect(links).toEqual(['connecting', 'live', 'offline', 'reconnecting', 'live'])
  })

  test('a server on this machine answers without a network: the browser is not believed', () => {
    greet()
    world.setOnline(false)
    world.socket.say({ type: 'pong' })
    expect(links).toEqual(['connecting', 'live', 'offline', 'live'])
  })
})

describe('a refresh', () => {
  test('shows what was there at once and asks for the rest only', () => {
    greet()
    client.follow('a', ignored)
    following('a', 0)
    chunks('a', 0, 'Once upon', 5)
    world.happen('pagehide')
    client.close()

    const logs: StreamLog[] = []
    open()
    client.follow('a', (log) => logs.push(log))
    expect(logs.map((log) => log.text)).toEqual(['Once upon'])
    greet()
    expect(world.socket.sent).toEqual([{ type: 'follow', stream: 'a', position: `${EPOCH}:5` }])
    following('a', 5)
    chunks('a', 5, ' a time')
    expect(client.log('a').text).toBe('Once upon a time')
  })

  test('of a stream that has ended asks for nothing', () => {
    greet()
    client.follow('a', ignored)
    following('a', 0)
    end('a', 0)
    client.close()
    open()
    client.follow('a', ignored)
    greet()
    expect(client.log('a').end?.outcome).toBe('finished')
    expect(world.socket.sent).toEqual([])
  })
})

test('closing leaves nothing behind', () => {
  greet()
  client.follow('a', ignored)
  following('a', 0)
  client.close()
  expect(world.leftOver).toBe(0)
})

test('a problem that the server names is reported', () => {
  greet()
  world.socket.say({ type: 'problem', problem: { status: 400, title: 'Too many', detail: 'At most 100.' } })
  expect(world.reports).toEqual(['400 Too many: At most 100.'])
})

test('a stream that the server refuses to serve is waited for no longer', () => {
  greet()
  client.follow('a', ignored)
  world.socket.say({
    type: 'problem',
    stream: 'a',
    problem: { status: 429, title: 'Too many', detail: 'At most 100.' },
  })
  expect(client.log('a')).toMatchObject({ phase: 'gone', problem: { status: 429 } })
})
