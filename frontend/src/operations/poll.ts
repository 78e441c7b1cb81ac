/** Asks the same again and again while somebody looks: not while the page is hidden, and at once when it is back. */

import type { Cancel, Environment } from '../stream'

const PATIENCE = 10_000 // ms for one answer
const SLOWEST = 10_000 // ms between two questions while nothing is answered

/** What its owner may do with it, whatever is asked. */
export interface Asking {
  now(): void
  close(): void
}

export class Poll<T> implements Asking {
  readonly #environment: Environment
  readonly #every: number
  readonly #ask: (signal: AbortSignal) => Promise<T>
  readonly #heard: (answer: T) => void
  readonly #failed: (error: unknown) => void
  readonly #unlisten: Cancel
  #asking: AbortController | null = null
  #waiting: Cancel = () => undefined
  #pause: number
  #closed = false

  constructor(
    environment: Environment,
    every: number,
    ask: (signal: AbortSignal) => Promise<T>,
    heard: (answer: T) => void,
    failed: (error: unknown) => void,
  ) {
    this.#environment = environment
    this.#every = every
    this.#pause = every
    this.#ask = ask
    this.#heard = heard
    this.#failed = failed
    this.#unlisten = environment.on('visibilitychange', () => environment.visible() && this.now())
    this.now()
  }

  /** Ask now; what is being asked is asked anew. */
  now(): void {
    this.#waiting()
    this.#asking?.abort()
    if (!this.#closed) void this.#turn()
  }

  close(): void {
    this.#closed = true
    this.#unlisten()
    this.#waiting()
    this.#asking?.abort()
  }

  async #turn(): Promise<void> {
    const asking = new AbortController()
    this.#asking = asking
    const tooLate = this.#environment.after(PATIENCE, () => asking.abort())
    const superseded = () => this.#closed || this.#asking !== asking
    try {
      const answer = await this.#ask(asking.signal)
      if (superseded()) return
      this.#pause = this.#every
      this.#heard(answer)
    } catch (error) {
      if (superseded()) return
      this.#pause = Math.min(this.#pause * 1.5, Math.max(this.#every, SLOWEST))
      this.#failed(error)
    } finally {
      tooLate()
    }
    // Both may have closed it.
    if (!superseded() && this.#environment.visible())
      this.#waiting = this.#environment.after(this.#pause, () => this.now())
  }
}
