/** What happens beside the conversation that is open: how many watch it, and what is said. */

import type { Beside, Remark } from '../stream'
import type { Api } from './api'
import { wordsOf } from './library'
import type { State } from './state'
import type { Store } from './store'

export class Discussion implements Beside {
  readonly #store: Store<State>
  readonly #api: Api

  constructor(store: Store<State>, api: Api) {
    this.#store = store
    this.#api = api
  }

  changes(): number | null {
    const { guest, conversation, changes } = this.#store.state
    return guest && conversation?.discussion !== true ? null : changes
  }

  viewers(): number {
    return this.#store.state.viewers
  }

  viewed(viewers: number): void {
    this.#store.set({ viewers })
  }

  discussed(news: readonly Remark[]): void {
    const { remarks, changes, discussing, unread, conversation } = this.#store.state
    const newer = news.filter((remark) => remark.change > changes)
    if (newer.length === 0) return
    const changed = new Set(newer.map((remark) => remark.id))
    const said = newer.filter((remark) => !remark.removed)
    const byOthers = said.filter((remark) => remark.author.tag !== conversation?.me)
    this.#store.set({
      remarks: [...remarks.filter((remark) => !changed.has(remark.id)), ...said],
      changes: Math.max(changes, ...newer.map((remark) => remark.change)),
      unread: discussing ? 0 : unread + byOthers.length,
    })
  }

  toggle(): void {
    this.#store.set({ discussing: !this.#store.state.discussing, unread: 0 })
  }

  /** Returns whether it was said; if not, the words are still with whoever typed them. */
  async say(content: string): Promise<boolean> {
    const { at, name } = this.#store.state
    if (at === null || content.trim() === '') return false
    return this.#tried(async () => {
      await this.#api.remark(at, content, name) // it comes back with the others, in its place
    })
  }

  remove(remark: Remark): Promise<boolean> {
    const { at } = this.#store.state
    return this.#tried(async () => {
      if (at !== null) await this.#api.removeRemark(at, remark.id)
    })
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
