/** One stream that is followed: its log, who listens, and whether what is missing has been asked for. */

import type { StreamFrame } from './frames'
import { isOver, position, type StreamLog, step } from './log'
import { formatPosition } from './position'

export type LogListener = (log: StreamLog) => void

export interface FollowedEvents {
  /** Send `follow` with this position. */
  ask(position: string | undefined): void
  /** There is more, or an end. */
  changed(log: StreamLog): void
  /** What was asked for does not come on this connection. */
  giveUp(): void
}

export class Followed {
  readonly listeners = new Set<LogListener>()
  readonly #events: FollowedEvents
  #log: StreamLog
  /** A `follow` is under way: its answer brings all that is missing. */
  #asking = false
  /** The index from which a gap was last asked for on this connection. */
  #repairedAt: number | null = null

  constructor(log: StreamLog, events: FollowedEvents) {
    this.#log = log
    this.#events = events
  }

  get log(): StreamLog {
    return this.#log
  }

  /** Ask on a connection that has not been asked yet. */
  begin(): void {
    this.#repairedAt = null
    if (!isOver(this.#log)) this.#ask()
  }

  take(frame: StreamFrame): void {
    if (frame.type === 'following') this.#asking = false
    const { log, missing } = step(this.#log, frame)
    if (log !== this.#log) {
      this.#log = log
      this.#events.changed(log)
      for (const listener of this.listeners) listener(log)
    }
    if (missing && !this.#asking) this.#repair()
  }

  #repair(): void {
    if (this.#repairedAt === this.#log.next) {
      this.#events.giveUp()
    } else {
      this.#repairedAt = this.#log.next
      this.#ask()
    }
  }

  #ask(): void {
    this.#asking = true
    const held = position(this.#log)
    this.#events.ask(held && formatPosition(held))
  }
}
