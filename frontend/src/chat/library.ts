/** The list of conversations in the sidebar: reads it, keeps it fresh, renames, deletes. */

import type { Environment } from '../stream/environment'
import { type Api, ApiError, type Conversation, type Summary } from './api'
import type { State } from './state'
import type { Store } from './store'

const TYPING = 200 // ms without a key until the list is searched
const UNDO = 10_000 // ms in which a deletion can be taken back; the server would do it for minutes
const GATHERED = 250 // ms in which changes of the list are gathered, to be read at once

export class Library {
  readonly #store: Store<State>
  readonly #api: Api
  readonly #environment: Pick<Environment, 'after'>
  #gathering = false
  #readings = 0
  #cancelSearch = () => {}
  #cancelUndo = () => {}
  /** The words for which the list that is shown was searched. */
  #found = ''

  constructor(store: Store<State>, api: Api, environment: Pick<Environment, 'after'>) {
    this.#store = store
    this.#api = api
    this.#environment = environment
  }

  /** Search for these words, when nothing more is typed for a moment. */
  search(words: string): void {
    this.#store.set({ search: words })
    this.#cancelSearch()
    this.#cancelSearch = this.#environment.after(words === '' ? 0 : TYPING, () => void this.refresh())
  }

  /** Read the newest again. What was read further down stays. */
  async refresh(): Promise<void> {
    const words = this.#store.state.search.trim()
    this.#readings += 1
    const reading = this.#readings
    try {
      const { items, next } = await this.#api.list(words)
      if (reading !== this.#readings) return // another was begun later, and knows more
      if (words !== this.#store.state.search.trim()) return // other words were typed meanwhile, and are searched for
      const same = words === this.#found
      this.#found = words
      const last = items.at(-1)?.updated_at ?? ''
      const fresh = new Set(items.map((item) => item.id))
      const older =
        next === null || !same ? [] : this.#store.state.list.filter((it) => !fresh.has(it.id) && it.updated_at < last)
      this.#show([...items, ...older], older.length > 0 ? this.#store.state.before : next)
    } catch (error) {
      wordsOf(error) // nobody asked for this reading: the list says that it failed, and when the link is back it is read
      this.#store.set({ listed: 'failed' })
    }
  }

  /** Something has changed in the list, in this tab or in another: read it soon. */
  changed(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#environment.after(GATHERED, () => {
      this.#gathering = false
      void this.refresh()
    })
  }

  /** Read the next older ones. */
  async more(): Promise<void> {
    const { before } = this.#store.state
    if (before === null) return
    const words = this.#found
    await this.#tried(async () => {
      const { items, next } = await this.#api.list(words, before)
      if (words !== this.#found) return
      const { list } = this.#store.state
      const known = new Set(list.map((item) => item.id))
      this.#show([...list, ...items.filter((item) => !known.has(item.id))], next)
    })
  }

  async rename(id: string, title: string): Promise<void> {
    if (title.trim() === '') return
    await this.#tried(async () => {
      this.put(await this.#api.change(id, { title: title.trim() }))
    })
  }

  /** Returns whether it is gone. For a moment it can be taken back. */
  remove(id: string): Promise<boolean> {
    return this.#tried(async () => {
      await this.#api.remove(id)
      const { list, before } = this.#store.state
      this.#offerUndo({ id, title: list.find((item) => item.id === id)?.title ?? '' })
      this.#show(
        list.filter((item) => item.id !== id),
        before,
      )
    })
  }

  /** Take the last deletion back. Returns whether it is; if it may yet be, it is offered again. */
  async undo(): Promise<boolean> {
    const { undo } = this.#store.state
    if (!undo) return false
    this.#offerUndo(null)
    try {
      await this.#api.restore(undo.id)
    } catch (error) {
      this.#store.set({ notice: wordsOf(error) })
      if (!(error instanceof ApiError && error.status === 404)) this.#offerUndo(undo)
      return false
    }
    await this.refresh()
    return true
  }

  /** A conversation is not there any more: nor is its line in the list. */
  gone(id: string): void {
    const { list, before } = this.#store.state
    if (list.some((item) => item.id === id)) {
      this.#show(
        list.filter((item) => item.id !== id),
        before,
      )
    }
  }

  #offerUndo(undo: State['undo']): void {
    this.#cancelUndo()
    this.#store.set({ undo })
    if (undo) this.#cancelUndo = this.#environment.after(UNDO, () => this.#store.set({ undo: null }))
  }

  /** Everything of this person's, for good. Returns whether it is gone. */
  erase(): Promise<boolean> {
    return this.#tried(() => this.#api.erase())
  }

  /** A conversation was read: its line in the list says the same. */
  put(conversation: Conversation): void {
    const { list, before } = this.#store.state
    this.#show(
      list.map((item) => (item.id === conversation.id ? conversation : item)),
      before,
    )
  }

  #show(list: readonly Summary[], before: string | null): void {
    this.#store.set({ list, before, listed: 'ready' })
  }

  async #tried(act: () => Promise<void>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.#store.set({ notice: wordsOf(error) })
      return false
    }
  }
}

/** For a page that was opened by a share: it knows one conversation, and no others. */
export const NO_LIBRARY: Pick<Library, 'put' | 'changed' | 'refresh' | 'remove' | 'gone'> = {
  put() {},
  gone() {},
  changed() {},
  refresh: () => Promise.resolve(),
  remove: () => Promise.resolve(false),
}

/** What went wrong, for the person. What is not an ApiError is a fault of this page and must not be hidden. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError) return error.message
  throw error
}
