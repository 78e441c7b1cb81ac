/** The server's side of PROTOCOL.md for one stream, over a wire that the test may damage. */

import type { ClientFrame, Outcome, ServerFrame, StreamFrame } from '../../src/stream/frames'
import type { FarEnd, World } from './world'

export interface Entry {
  readonly kind: 'text' | 'reasoning' | 'note'
  readonly text: string
}

export const STREAM = 'st_1'

export class Origin {
  /** Every text that this stream ever had, by epoch. */
  readonly texts = new Map<string, readonly Entry[]>()
  /** Frames on their way to the page. */
  wire: ServerFrame[] = []
  #epoch: string | null = null
  #written: Entry[] = []
  #outcome: Outcome | null = null
  #served: FarEnd | null = null
  #cursor = 0

  constructor(world: World) {
    this.moveTo(world)
  }

  /** Serve another page: the one before has left. */
  moveTo(world: World): this {
    this.wire = []
    this.#served = null
    world.answer = (socket) => {
      this.wire = [{ type: 'hello', heartbeat: 20 }]
      this.#served = null
      socket.say(this.wire.shift() as ServerFrame)
    }
    world.heardBySocket = (socket, frame) => this.#hear(socket, frame)
    return this
  }

  get epoch(): string | null {
    return this.#epoch
  }

  /** The text that a reader at `next` must have, in this incarnation. */
  textUpTo(epoch: string, next: number, kind: Entry['kind']): string {
    const entries = this.texts.get(epoch) ?? []
    return entries
      .slice(0, next)
      .filter((entry) => entry.kind === kind)
      .map((entry) => entry.text)
      .join('')
  }

  /** The note that a reader at `next` must show. */
  noteAt(epoch: string, next: number): string {
    const last = this.texts.get(epoch)?.[next - 1]
    return last?.kind === 'note' ? last.text : ''
  }

  /** A worker begins, with no text yet; again: another incarnation. */
  begin(epoch: string): void {
    this.#epoch = epoch
    this.#written = []
    this.#outcome = null
    this.#cursor = 0
    this.texts.set(epoch, this.#written)
    if (this.#served) this.wire.push(this.#following(0))
  }

  append(entry: Entry): void {
    this.#written.push(entry)
    this.#push()
  }

  end(outcome: Outcome): void {
    this.#outcome = outcome
    this.#push()
  }

  #hear(socket: FarEnd, frame: ClientFrame): void {
    if (frame.type === 'ping') this.wire.push({ type: 'pong' })
    if (frame.type !== 'follow') return
    const [epoch, index] = frame.position?.split(':') ?? []
    this.#served = socket
    this.#cursor = epoch === this.#epoch ? Math.min(Number(index), this.#length) : 0
    this.wire.push(this.#following(this.#cursor))
    this.#push()
  }

  #following(index: number): StreamFrame {
    const state = this.#epoch === null ? 'queued' : this.#outcome ? 'ended' : 'running'
    return { type: 'following', stream: STREAM, epoch: this.#epoch, index, state }
  }

  get #length(): number {
    return this.#written.length + (this.#outcome ? 1 : 0)
  }

  #push(): void {
    if (!this.#served || this.#epoch === null) return
    const base = { stream: STREAM, epoch: this.#epoch }
    const start = this.#cursor
    const stop = this.#written.length
    if (start < stop) {
      const joined = (kind: Entry['kind']) =>
        this.#written
          .slice(start)
          .filter((entry) => entry.kind === kind)
          .map((entry) => entry.text)
          .join('')
      const last = this.#written.at(-1)
      const note = last?.kind === 'note' ? last.text : null
      const texts = { text: joined('text'), reasoning: joined('reasoning'), note }
      this.wire.push({ type: 'chunks', ...base, start, stop, ...texts })
    }
    if (this.#outcome && start <= stop) {
      this.wire.push({
        type: 'end',
        ...base,
        start: stop,
        stop: stop + 1,
        outcome: this.#outcome,
        reason: null,
        usage: null,
      })
    }
    this.#cursor = this.#length
  }
}
