/** What every view is given: where to look, and whom to ask. */

import type { Chat } from './chat'
import type { Library } from './library'
import type { ModelChoice } from './models'
import type { ScrollKeeper } from './scroll'
import type { State } from './state'
import type { Store } from './store'

export interface Page {
  readonly store: Store<State>
  readonly chat: Chat
  readonly library: Library
  readonly models: ModelChoice
  readonly scroll: ScrollKeeper
  /** Show a conversation and put it into the address bar. */
  readonly visit: (conversation: string | null) => void
}

export function addressOf(conversation: string | null): string {
  return conversation === null ? '/' : `/c/${encodeURIComponent(conversation)}`
}

export function conversationOf(pathname: string): string | null {
  const [, id] = /^\/c\/([^/]+)\/?$/.exec(pathname) ?? []
  return id === undefined ? null : decodeURIComponent(id)
}
