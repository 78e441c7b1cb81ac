/** Whether this person has signed in; and that it is so in every tab of the browser at once. */

import { type Account, type Api, ApiError } from './api'
import type { Lasting } from './lasting'
import { wordsOf } from './library'
import type { State } from './state'
import type { Store } from './store'

/** Under this name this browser keeps who it is, so that its other tabs hear when that changes. */
export const IDENTITY = 'identity'

export class Membership {
  readonly #store: Store<State>
  readonly #api: Pick<Api, 'account' | 'signOut'>
  readonly #lasting: Lasting
  #known = false

  constructor(store: Store<State>, api: Pick<Api, 'account' | 'signOut'>, lasting: Lasting) {
    this.#store = store
    this.#api = api
    this.#lasting = lasting
  }

  /** Ask who one is. What cannot be read now is asked for when the link is back. */
  async refresh(): Promise<void> {
    try {
      const account = await this.#api.account()
      this.#known = true
      const can = account.sign_in !== null // else it never changes
      if (can && this.#lasting.get(IDENTITY) !== account.me) this.#lasting.set(IDENTITY, account.me)
      const { name } = this.#store.state
      // Whoever has chosen no name of their own is offered that of the account.
      this.#store.set({ account, name: name === '' ? (account.account?.name ?? '') : name })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  /** As `refresh`, unless it is known already. */
  async refreshOnce(): Promise<void> {
    if (!this.#known) await this.refresh()
  }

  /** Leave the account. Returns where to go; null: it could not be done, and why is told. */
  async signOut(): Promise<string | null> {
    try {
      const { location } = await this.#api.signOut()
      return location
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return '/' // another tab has left it
      this.#store.set({ notice: wordsOf(error) })
      return null
    }
  }
}

/** What the document says to whoever must sign in before they may write: known before anything is drawn. */
export function signInFirst(document: Document): Account['sign_in'] {
  const tag = document.querySelector<HTMLMetaElement>('meta[name="sign-in-first"]')
  return tag && JSON.parse(tag.content)
}

/** Where one signs in and comes back from to this address; null: nowhere, or one has. */
export function signInAddress({ account }: State, back: string): string | null {
  if (account.sign_in === null || account.account !== null) return null
  return `${account.sign_in.at}?${new URLSearchParams({ next: back })}`
}
