/**
 * One socket, from its opening to its loss, which is told exactly once. It is lost when the browser says so, and also
 * when it says nothing: a network that vanishes sends no close frame. A Connection is not used again; the client
 * makes another.
 */

import type { Cancel, Close, Environment, Socket } from './environment'
import { type ClientFrame, FrameError, parseFrame, type ServerFrame } from './frames'

export interface ConnectionEvents {
  /** Any frame, `hello` included, which is the first. */
  frame(frame: ServerFrame): void
  /** It is over: how, with code 1006 where nobody said. Nothing comes after this. */
  lost(close: Close): void
}

const HELLO_PATIENCE = 10_000 // ms from opening to hello; a phone on a bad network needs seconds
const PROBE_PATIENCE = 3_000 // ms from ping to anything at all
const MISSED_INTERVALS = 2 // heartbeats; PROTOCOL.md
const LATE = 1_000 // ms; a timer that is later than this tells of a page that slept, not of a silent server

const NO_CLOSE_FRAME: Close = { code: 1006, reason: '' }

export class Connection {
  readonly #environment: Environment
  readonly #events: ConnectionEvents
  readonly #socket: Socket
  #greeted = false
  #over = false
  #heard = 0
  #cancelSilence: Cancel
  #cancelProbe: Cancel | null = null

  constructor(environment: Environment, url: string, events: ConnectionEvents) {
    this.#environment = environment
    this.#events = events
    this.#cancelSilence = environment.after(HELLO_PATIENCE, () => this.#lose(NO_CLOSE_FRAME))
    this.#socket = environment.connect(url, {
      message: (data) => this.#receive(data),
      closed: (close) => this.#lose(close),
    })
  }

  /** Whether the server has greeted and the connection has not been lost. */
  get live(): boolean {
    return this.#greeted && !this.#over
  }

  /** Send a frame, if the connection is live. */
  send(frame: ClientFrame): void {
    if (this.live) this.#socket.send(JSON.stringify(frame))
  }

  /** Ask whether anybody is there. Any frame is an answer; without one the connection is lost. */
  probe(): void {
    if (!this.live || this.#cancelProbe) return
    this.send({ type: 'ping' })
    this.#cancelProbe = this.#environment.after(PROBE_PATIENCE, () => this.#lose(NO_CLOSE_FRAME))
  }

  /** Leave without a word to the listener. */
  close(): void {
    this.#end()
  }

  /** Give it up as lost: what it says can no longer be used. */
  abandon(): void {
    this.#lose(NO_CLOSE_FRAME)
  }

  #receive(data: unknown): void {
    if (this.#over) return
    this.#heard = this.#environment.now()
    this.#cancelProbe?.()
    this.#cancelProbe = null
    try {
      const frame = parseFrame(data)
      if (frame.type === 'hello') this.#greet(frame.heartbeat)
      this.#events.frame(frame)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      // A newer server may say more than this page knows. What this page needed of it shows as a gap.
      this.#environment.report(error.message)
    }
  }

  #greet(heartbeat: number): void {
    this.#greeted = true
    this.#cancelSilence()
    this.#listen(MISSED_INTERVALS * heartbeat * 1000)
  }

  #listen(patience: number, wait = patience): void {
    const due = this.#environment.now() + wait
    this.#cancelSilence = this.#environment.after(wait, () => {
      const now = this.#environment.now()
      const silence = now - this.#heard
      if (silence < patience) this.#listen(patience, patience - silence)
      else if (now - due <= LATE) this.#lose(NO_CLOSE_FRAME)
      else {
        this.probe()
        this.#listen(patience)
      }
    })
  }

  #lose(close: Close): void {
    if (this.#over) return
    this.#end()
    this.#events.lost(close)
  }

  #end(): void {
    this.#over = true
    this.#cancelSilence()
    this.#cancelProbe?.()
    this.#cancelProbe = null
    this.#socket.close()
  }
}
