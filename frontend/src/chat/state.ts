/** What the page knows, and what follows from it. */

import { isOver, type Link, type StreamLog } from '../stream'
import type { Conversation, Message, Summary } from './api'

export interface State {
  readonly link: Link
  /** The conversations in the sidebar, the newest activity first; `before` is where the next page begins. */
  readonly list: readonly Summary[]
  readonly before: string | null
  readonly listed: 'loading' | 'ready' | 'failed'
  /** What the list is searched for; empty: it is the whole list. */
  readonly search: string
  /** The conversation of the address; null: one that has not begun. */
  readonly at: string | null
  readonly conversation: Conversation | null
  readonly reading: 'loading' | 'ready' | 'missing' | 'failed'
  /** The answer that is being written. */
  readonly live: { readonly stream: string; readonly log: StreamLog } | null
  readonly draft: string
  readonly sending: boolean
  /** Why the draft could not be sent. */
  readonly sendProblem: string | null
  /** The stream that was asked to stop. */
  readonly stopping: string | null
  /** The message that is being edited. */
  readonly editing: string | null
  /** Something else that was asked for and could not be done. */
  readonly notice: string | null
  readonly sidebarOpen: boolean
  /** The person has scrolled away from the end. */
  readonly away: boolean
}

export const INITIAL: State = {
  link: 'connecting',
  list: [],
  before: null,
  listed: 'loading',
  search: '',
  at: null,
  conversation: null,
  reading: 'ready',
  live: null,
  draft: '',
  sending: false,
  sendProblem: null,
  stopping: null,
  editing: null,
  notice: null,
  sidebarOpen: false,
  away: false,
}

/** The same conversation, with the messages that have not changed since `before` as the same objects: views know them. */
export function sharing(before: Conversation | null, conversation: Conversation): Conversation {
  const known = new Map(before?.messages.map((message) => [message.id, message]))
  const messages = conversation.messages.map((message) => {
    const same = known.get(message.id)
    return same && JSON.stringify(same) === JSON.stringify(message) ? same : message
  })
  return { ...conversation, messages }
}

/** Nobody has settled this answer yet. */
export function inFlight(message: Message): boolean {
  return message.status === 'queued' || message.status === 'running'
}

/** The log of this answer, while it is in flight here. */
export function logOf(state: State, message: Message): StreamLog | null {
  return inFlight(message) && state.live?.stream === message.stream ? state.live.log : null
}

/** The stream that can be stopped, and that must end before anything else is asked. */
export function busyStream(state: State): string | null {
  const generating = state.conversation?.generating ?? null
  return generating !== null && state.live?.stream === generating && isOver(state.live.log) ? null : generating
}

export interface Shown {
  readonly text: string
  readonly reasoning: string
}

/** The words of a message: those of its stream where the page has them, else those that were saved. */
export function shown(message: Message, log: StreamLog | null): Shown {
  const saved = { text: message.content, reasoning: message.reasoning }
  if (!log) return saved
  // Before the server has answered there may be nothing but the last checkpoint, and so after it was lost.
  const silent = log.phase === 'unknown' || log.phase === 'gone'
  return silent && log.text.length < saved.text.length ? saved : log
}
