/** What happens beside the conversation that is open: how many watch it, and what is said. */

import type { Beside, Remark } from '../stream'
import type { Api } from './api'
import { besideOf, type Drafts } from './drafts'
import { wordsOf } from './library'
import type { State } from './state'
import type { Store } from './store'

export class Discussion implements Beside {
  readonly #store: Store<State>
  readonly #api: Api
  readonly #drafts: Drafts
  /** Words that may have been said, for the server's answer was lost. */
  #doubtful: string | null = null

  constructor(store: Store<State>, api: Api, drafts: Drafts) {
    this.#store = store
    this.#api = api
    this.#drafts = drafts
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
    const { remarks, changes, discussing, seen, conversation } = this.#store.state
    const newer = news.filter((remark) => remark.change > changes)
    if (newer.length === 0) return
    const changed = new Set(newer.map((remark) => remark.id))
    const said = newer.filter((remark) => !remark.removed)
    const last = Math.max(changes, ...newer.map((remark) => remark.change))
    this.#store.set({
      remarks: [...remarks.filter((remark) => !changed.has(remark.id)), ...said],
      changes: last,
      seen: discussing ? last : seen,
    })
    const mine = said.some((remark) => remark.author.tag === conversation?.me && remark.content === this.#doubtful)
    if (mine && this.#store.state.saying === this.#doubtful) this.type('')
  }

  toggle(): void {
    const { discussing, changes } = this.#store.state
    this.#store.set({ discussing: !discussing, seen: changes })
  }

  type(words: string): void {
    this.#drafts.type(besideOf(this.#store.state.at), words)
    this.#store.set({ saying: words })
  }

  /** Say what is typed. It stays where it is until the server has it. */
  async say(): Promise<void> {
    const { at, name, saying } = this.#store.state
    if (at === null || saying.trim() === '') return
    this.#doubtful = saying
    const said = await this.#tried(() => this.#api.remark(at, saying, name)) // it comes back with the others
    if (said && this.#store.state.at === at && this.#store.state.saying === saying) this.type('')
  }

  async remove(remark: Remark): Promise<void> {
    const { at } = this.#store.state
    if (at !== null) await this.#tried(() => this.#api.removeRemark(at, remark.id))
  }

  async #tried(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      this.#store.set({ notice: wordsOf(error) })
      return false
    }
  }
}
