/**
 * Keeps the text and the position of streams together in sessionStorage, so that a refreshed page shows at once what
 * it had and asks for the rest only. What is kept is a convenience: whatever goes wrong here costs bytes, never text.
 */

import type { Cancel, Environment, KeyValueStorage } from './environment'
import { EMPTY, type End, type StreamLog } from './log'

const PREFIX = 'rejoinder:stream:'
const WRITE_INTERVAL = 250 // ms; what a crash of the tab costs is fetched again

/** Characters of all streams together. Browsers give about 5 million to a site. */
export const MAX_KEPT = 2_000_000

interface Kept {
  readonly epoch: string
  readonly next: number
  readonly text: string
  readonly reasoning: string
  /** Absent where an earlier version of this page has written it. */
  readonly note?: string
  readonly end: End | null
  /** Counts up with every write, for "the oldest". */
  readonly written: number
}

export class LogStorage {
  readonly #environment: Environment
  readonly #storage: KeyValueStorage | null
  readonly #waiting = new Map<string, StreamLog>()
  readonly #cancels: Cancel[]
  #cancelWrite: Cancel | null = null

  constructor(environment: Environment) {
    this.#environment = environment
    this.#storage = environment.storage
    this.#cancels = [
      environment.on('pagehide', () => this.flush()),
      // A phone may end a hidden page without another word.
      environment.on('visibilitychange', () => {
        if (!environment.visible()) this.flush()
      }),
    ]
  }

  load(stream: string): StreamLog | null {
    const waiting = this.#waiting.get(stream)
    if (waiting) return waiting
    const kept = this.#read(PREFIX + stream)
    if (!kept) return null
    const { epoch, next, text, reasoning, note = '', end } = kept
    return { ...EMPTY, phase: end ? 'ended' : 'unknown', epoch, next, text, reasoning, note, end }
  }

  /** Write this log soon. */
  keep(stream: string, log: StreamLog): void {
    if (!this.#storage) return
    this.#waiting.set(stream, log)
    this.#cancelWrite ??= this.#environment.after(WRITE_INTERVAL, () => this.flush())
  }

  forget(stream: string): void {
    this.#waiting.delete(stream)
    this.#storage?.removeItem(PREFIX + stream)
  }

  /** Write now what waits. */
  flush(): void {
    this.#cancelWrite?.()
    this.#cancelWrite = null
    for (const [stream, log] of this.#waiting) this.#write(PREFIX + stream, log)
    this.#waiting.clear()
  }

  close(): void {
    this.flush()
    for (const cancel of this.#cancels) cancel()
  }

  #write(key: string, log: StreamLog): void {
    if (log.epoch === null || log.phase === 'gone') {
      this.#storage?.removeItem(key)
      return
    }
    const { epoch, next, text, reasoning, note, end } = log
    const others = this.#keys().filter((other) => other.key !== key)
    const written = Math.max(0, ...others.map((other) => other.written)) + 1
    const value = JSON.stringify({ epoch, next, text, reasoning, note, end, written } satisfies Kept)
    let room = MAX_KEPT - value.length - others.reduce((sum, other) => sum + other.size, 0)
    while (room < 0 || !this.#tryWrite(key, value)) {
      const oldest = others.shift()
      // Too large even alone: half a text with a whole position would be a lie, so nothing is kept.
      this.#storage?.removeItem(oldest?.key ?? key)
      if (!oldest) return
      room += oldest.size
    }
  }

  #tryWrite(key: string, value: string): boolean {
    try {
      this.#storage?.setItem(key, value)
      return true
    } catch {
      return false // QuotaExceededError, under several names
    }
  }

  /** What is kept, the oldest first. */
  #keys(): { key: string; size: number; written: number }[] {
    const storage = this.#storage
    if (!storage) return []
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index))
    return keys
      .filter((key) => key?.startsWith(PREFIX))
      .map((key) => ({ key: key as string, value: storage.getItem(key as string) ?? '' }))
      .map(({ key, value }) => ({ key, size: value.length, written: parse(value)?.written ?? 0 }))
      .sort((a, b) => a.written - b.written)
  }

  #read(key: string): Kept | null {
    const value = this.#storage?.getItem(key)
    return value ? parse(value) : null
  }
}

/** null for what another version of this page, or somebody else, has written. */
function parse(value: string): Kept | null {
  try {
    const kept = JSON.parse(value)
    const whole =
      typeof kept?.epoch === 'string' &&
      Number.isSafeInteger(kept.next) &&
      typeof kept.text === 'string' &&
      typeof kept.reasoning === 'string' &&
      typeof (kept.note ?? '') === 'string'
    return whole ? kept : null
  } catch {
    return null
  }
}
