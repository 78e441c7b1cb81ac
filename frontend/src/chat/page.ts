/** What every view is given: where to look, and whom to ask. */

import type { Message } from './api'
import type { Chat } from './chat'
import type { Discussion } from './discussion'
import type { Library } from './library'
import type { ModelChoice } from './models'
import type { Proof } from './proof'
import type { ScrollKeeper } from './scroll'
import type { Sharing } from './sharing'
import type { State } from './state'
import type { Store } from './store'

export interface Page {
  readonly store: Store<State>
  readonly chat: Chat
  readonly library: Library
  readonly models: ModelChoice
  readonly sharing: Sharing
  readonly discussion: Discussion
  readonly scroll: ScrollKeeper
  readonly besideScroll: ScrollKeeper
  /** Show a conversation and put it into the address bar. */
  readonly visit: (conversation: string | null) => void
  /** Ask and remark under this name from now on. */
  readonly rename: (name: string) => void
  /** Compare an answer with the server's. Rejects with ApiError. */
  readonly prove: (message: Message) => Promise<Proof>
  /** The address of a conversation in this page: a visitor's is that of the share. */
  readonly address: (conversation: string | null) => string
  /** Leave the account, and begin anew. */
  readonly signOut: () => Promise<void>
  /** Remove everything of this person's, and begin anew. */
  readonly erase: () => Promise<void>
}

/** The share by which this page was opened. */
export function shareOf(pathname: string): string | null {
  return idIn(/^\/s\/([^/]+)\/?$/, pathname)
}

export function addressOf(conversation: string | null): string {
  return conversation === null ? '/' : `/c/${encodeURIComponent(conversation)}`
}

export function conversationOf(pathname: string): string | null {
  return idIn(/^\/c\/([^/]+)\/?$/, pathname)
}

/** What no server has made is no id of ours, but is looked for all the same, and not found. */
function idIn(address: RegExp, pathname: string): string | null {
  const [, id] = address.exec(pathname) ?? []
  if (id === undefined) return null
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
