/** What somebody does at this page, and what it asks the server for meanwhile. */

import type { Store } from '../chat/store'
import type { Environment } from '../stream'
import { type Api, Refused, type Span, type StreamText } from './api'
import { type Asking, Poll } from './poll'
import { MANY, type Opened, type Reading, type State } from './state'

const LIVE = 2_000 // ms; as often as processes speak of themselves
const HISTORY = 10_000 // ms; as often as a sample is taken
const READING = 1_000 // ms

const NOTHING_READ: Reading = { text: '', reasoning: '', note: null, ended: false }

export class Desk {
  readonly store: Store<State>
  readonly #environment: Environment
  readonly #api: Api
  readonly #live: Asking
  readonly #history: Asking
  #detail: Asking | null = null
  #text: Asking | null = null

  constructor(environment: Environment, api: Api, store: Store<State>) {
    this.store = store
    this.#environment = environment
    this.#api = api
    this.#live = new Poll(
      environment,
      LIVE,
      (signal) => api.operations(store.state.most, signal),
      (now) => store.set({ now, contact: { kind: 'live' } }),
      this.#lost,
    )
    this.#history = new Poll(
      environment,
      HISTORY,
      (signal) => api.history(store.state.span, signal),
      (history) => store.set({ history }),
      this.#lost,
    )
  }

  show(span: Span): void {
    this.store.set({ span })
    this.#history.now()
  }

  showMore(): void {
    this.store.set({ most: MANY })
    this.#live.now()
  }

  open(id: string): void {
    this.close()
    this.store.set({ opened: { id, detail: null, problem: null, asksToStop: false, reading: null } })
    this.#detail = new Poll(
      this.#environment,
      LIVE,
      (signal) => this.#api.stream(id, signal),
      (detail) => {
        this.#change({ detail, problem: null })
        if (detail.state === 'missing' || detail.ended_at) this.#detail?.close()
      },
      this.#refused,
    )
  }

  close(): void {
    this.#detail?.close()
    this.#text?.close()
    this.#detail = this.#text = null
    this.store.set({ opened: null })
  }

  askToStop(asksToStop: boolean): void {
    this.#change({ asksToStop })
  }

  async stop(): Promise<void> {
    const opened = this.store.state.opened
    if (!opened) return
    this.#change({ asksToStop: false })
    try {
      const { stopping } = await this.#api.stop(opened.id)
      if (!stopping) this.#change({ problem: 'It had ended before.' })
      this.#detail?.now()
      this.#live.now()
    } catch (error) {
      this.#refused(error)
    }
  }

  /** Have the words shown too, as they come; the server notes who reads them. */
  read(): void {
    const opened = this.store.state.opened
    if (!opened) return
    let position: string | null = null
    this.#change({ reading: NOTHING_READ })
    this.#text = new Poll(
      this.#environment,
      READING,
      (signal) => this.#api.text(opened.id, position, signal),
      (found) => {
        position = found.position
        this.#change({ reading: added(this.store.state.opened?.reading ?? NOTHING_READ, found) })
        if (found.ended) this.#text?.close()
      },
      this.#refused,
    )
  }

  readonly #lost = (error: unknown): void => {
    if (error instanceof Refused && error.status === 401) {
      this.#live.close()
      this.#history.close()
      this.#detail?.close()
      this.#text?.close()
      this.store.set({ contact: { kind: 'signed-out' } })
      return
    }
    const before = this.store.state.contact
    const words = error instanceof Refused ? error.message : 'The server does not answer.'
    const since = before.kind === 'lost' ? before.since : new Date()
    this.store.set({ contact: { kind: 'lost', since, words } })
  }

  readonly #refused = (error: unknown): void => {
    if (error instanceof Refused && error.status === 401) this.#lost(error)
    else this.#change({ problem: error instanceof Error ? error.message : String(error) })
  }

  #change(change: Partial<Opened>): void {
    const opened = this.store.state.opened
    if (opened) this.store.set({ opened: { ...opened, ...change } })
  }
}

/** What was read so far, and what came after it; from 0 it is other text. */
export function added(before: Reading, found: StreamText): Reading {
  const kept = found.start === 0 ? NOTHING_READ : before
  return {
    text: kept.text + found.text,
    reasoning: kept.reasoning + found.reasoning,
    note: found.note,
    ended: found.ended,
  }
}
