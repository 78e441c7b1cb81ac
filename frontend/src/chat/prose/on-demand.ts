/**
 * A tool that most visits do not need: loaded when something is first asked of it, and put to work in slices, so that
 * a page full of work for it never stands still. What could not be loaded is tried again later; nobody has to wait.
 */

import { backoff } from '../../stream'
import { Store } from '../store'

/** ms of work before the page gets its turn; half of a frame. */
const SLICE = 8

/** Enough for a network that was away for minutes. Then the file is gone, and only another wish tries again. */
const ATTEMPTS = 10

/** What has been asked for; null: not yet. */
export type Outcome<T> = Store<{ readonly value: T | null }>

export interface Clock {
  readonly after: (ms: number, run: () => void) => void
  readonly now: () => number
  readonly random: () => number
}

const CLOCK: Clock = {
  after: (ms, run) => setTimeout(run, ms),
  now: () => performance.now(),
  random: Math.random,
}

export class OnDemand<Tool> {
  readonly #load: () => Promise<Tool>
  readonly #clock: Clock
  #tool: Tool | null = null
  #loading = false
  #waiting: ((tool: Tool) => void)[] = []
  #spent = 0
  #turnComes = false

  constructor(load: () => Promise<Tool>, clock: Clock = CLOCK) {
    this.#load = load
    this.#clock = clock
  }

  /** What `work` makes with the tool: at once if there is time, else later. Work that fails leaves null. */
  ask<T>(work: (tool: Tool) => T | null): Outcome<T> {
    const outcome: Outcome<T> = new Store({ value: null }, (run) => run())
    this.#waiting.push((tool) => outcome.set({ value: attempt(work, tool) }))
    if (this.#tool === null) void this.#fetch(0)
    else if (!this.#turnComes || this.#spent < SLICE) this.#work(this.#tool)
    return outcome
  }

  async #fetch(attempt: number): Promise<void> {
    if (this.#loading && attempt === 0) return
    this.#loading = true
    try {
      this.#tool = await this.#load()
      this.#work(this.#tool)
    } catch {
      // Offline, or a newer version of the page has been deployed: plain text is shown meanwhile.
      if (attempt + 1 < ATTEMPTS)
        this.#clock.after(backoff(attempt, this.#clock.random), () => void this.#fetch(attempt + 1))
      else this.#loading = false
    }
  }

  #work(tool: Tool): void {
    const begun = this.#clock.now() - this.#spent
    while (this.#waiting.length > 0 && this.#spent < SLICE) {
      this.#waiting.shift()?.(tool)
      this.#spent = this.#clock.now() - begun
    }
    if (this.#turnComes) return
    this.#turnComes = true
    this.#clock.after(0, () => {
      this.#turnComes = false
      this.#spent = 0
      if (this.#waiting.length > 0) this.#work(tool)
    })
  }
}

function attempt<Tool, T>(work: (tool: Tool) => T | null, tool: Tool): T | null {
  try {
    return work(tool)
  } catch {
    return null
  }
}
