/** An outside world for the stream client: a clock that is turned by hand, sockets whose far end the test holds. */

import type { Cancel, Environment, KeyValueStorage, PageEvent, SocketEvents } from '../../src/stream/environment'
import type { ClientFrame, ServerFrame } from '../../src/stream/frames'

/** The far end of one socket. */
export class FarEnd {
  readonly sent: ClientFrame[] = []
  open = true
  readonly url: string
  readonly #events: SocketEvents

  constructor(url: string, events: SocketEvents) {
    this.url = url
    this.#events = events
  }

  /** Let a frame arrive in the page, encoded as on the wire. */
  say(frame: ServerFrame | Record<string, unknown>): void {
    this.sayRaw(JSON.stringify(frame))
  }

  sayRaw(data: unknown): void {
    if (this.open) this.#events.message(data)
  }

  cut(code = 1006, reason = ''): void {
    if (!this.open) return
    this.open = false
    this.#events.closed({ code, reason })
  }
}

/** sessionStorage with a quota in characters. */
export class Shelf implements KeyValueStorage {
  writes = 0
  readonly #values = new Map<string, string>()
  readonly #quota: number

  constructor(quota = Number.POSITIVE_INFINITY) {
    this.#quota = quota
  }

  get length(): number {
    return this.#values.size
  }

  key(index: number): string | null {
    return [...this.#values.keys()][index] ?? null
  }

  getItem(key: string): string | null {
    return this.#values.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    const others = [...this.#values].filter(([other]) => other !== key)
    const size = others.reduce((sum, [name, text]) => sum + name.length + text.length, key.length + value.length)
    if (size > this.#quota) throw new DOMException('full', 'QuotaExceededError')
    this.#values.delete(key)
    this.#values.set(key, value)
    this.writes += 1
  }

  removeItem(key: string): void {
    this.#values.delete(key)
  }

  clear(): void {
    this.#values.clear()
  }
}

interface Timer {
  readonly due: number
  readonly run: () => void
}

export class World implements Environment {
  readonly storage: KeyValueStorage | null
  readonly sockets: FarEnd[] = []
  readonly reports: string[] = []
  readonly #listeners = new Map<PageEvent, Set<() => void>>()
  readonly #timers = new Set<Timer>()
  #now = 0
  #visible = true
  #online = true
  /** What `random` returns. */
  chance = 0.5
  /** What happens to each socket as it is made. */
  answer: (socket: FarEnd) => void = () => {}
  heardBySocket: (socket: FarEnd, frame: ClientFrame) => void = () => {}

  constructor(storage: KeyValueStorage | null = new Shelf()) {
    this.storage = storage
  }

  // Environment

  connect(url: string, events: SocketEvents) {
    const socket = new FarEnd(url, events)
    this.sockets.push(socket)
    this.after(0, () => this.answer(socket))
    return {
      send: (data: string) => {
        const frame = JSON.parse(data) as ClientFrame
        socket.sent.push(frame)
        this.heardBySocket(socket, frame)
      },
      close: () => {
        socket.open = false
      },
    }
  }

  now = () => this.#now

  after(milliseconds: number, run: () => void): Cancel {
    const timer = { due: this.#now + milliseconds, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  random = () => this.chance

  on(event: PageEvent, run: () => void): Cancel {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(run))
    return () => listeners.delete(run)
  }

  visible = () => this.#visible
  online = () => this.#online
  report = (problem: string) => void this.reports.push(problem)

  // What a test does

  /** The socket that was made last. */
  get socket(): FarEnd {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error('no socket has been made')
    return socket
  }

  /** Let time pass, running timers in their order. */
  pass(milliseconds: number): void {
    const until = this.#now + milliseconds
    for (let timer = this.#next(until); timer; timer = this.#next(until)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.due)
      timer.run()
    }
    this.#now = until
  }

  /** Let time pass as in a page that sleeps: the clock goes on, and what was due runs late, all at once. */
  sleep(milliseconds: number): void {
    this.#now += milliseconds
    this.pass(0)
  }

  happen(event: PageEvent): void {
    for (const listener of this.#listeners.get(event) ?? []) listener()
  }

  show(visible: boolean): void {
    this.#visible = visible
    this.happen('visibilitychange')
  }

  setOnline(online: boolean): void {
    this.#online = online
    this.happen(online ? 'online' : 'offline')
  }

  /** Listeners and timers that are still there: none, when all has been closed. */
  get leftOver(): number {
    return this.#timers.size + [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0)
  }

  #next(until: number): Timer | undefined {
    return [...this.#timers].filter((timer) => timer.due <= until).sort((a, b) => a.due - b.due)[0]
  }
}
