/** What the owner does with the links of the conversation that is open. */

import type { Api, Terms } from './api'
import type { Chat } from './chat'
import { wordsOf } from './library'
import type { State } from './state'
import type { Store } from './store'

export class Sharing {
  readonly #store: Store<State>
  readonly #api: Api
  readonly #chat: Pick<Chat, 'begun' | 'readAgain'>

  constructor(store: Store<State>, api: Api, chat: Pick<Chat, 'begun' | 'readAgain'>) {
    this.#store = store
    this.#api = api
    this.#chat = chat
  }

  /** Make a link; a conversation that has not begun begins with it. */
  share(terms: Terms): Promise<boolean> {
    return this.#tried(async () => {
      await this.#api.share(await this.#chat.begun(), terms)
    })
  }

  revoke(share: string): Promise<boolean> {
    return this.#tried(() => this.#api.revoke(share))
  }

  /** Give the model other instructions, from the next answer on. */
  instruct(systemPrompt: string): Promise<boolean> {
    const { at } = this.#store.state
    if (at === null) {
      this.#store.set({ newPrompt: systemPrompt })
      return Promise.resolve(true)
    }
    return this.#tried(async () => {
      await this.#api.change(at, { system_prompt: systemPrompt })
    })
  }

  /** Returns whether it was done; if not, why is told. */
  async #tried(act: () => Promise<void>): Promise<boolean> {
    this.#store.set({ notice: null })
    try {
      await act()
      await this.#chat.readAgain()
      return true
    } catch (error) {
      this.#store.set({ notice: wordsOf(error) })
      return false
    }
  }
}
