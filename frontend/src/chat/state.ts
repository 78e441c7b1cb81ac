/** What the page knows, and what follows from it. */

import { isOver, type Link, type Remark, type StreamLog } from '../stream'
import type { Account, Conversation, Message, Models, Summary } from './api'

export interface State {
  readonly link: Link
  /** An answer goes on from where this page had it: told for a moment. */
  readonly resumed: boolean
  /** The conversations in the sidebar, the newest activity first; `before` is where the next page begins. */
  readonly list: readonly Summary[]
  readonly before: string | null
  readonly listed: 'loading' | 'ready' | 'failed'
  /** What the list is searched for; empty: it is the whole list. */
  readonly search: string
  /** The conversation of the address; null: one that has not begun. */
  readonly at: string | null
  readonly conversation: Conversation | null
  /** `over`: the share by which one came lets nobody in any more. */
  readonly reading: 'loading' | 'ready' | 'missing' | 'over' | 'failed'
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
  /** Which models can be asked. */
  readonly models: Models
  /** There were several when this browser was here before. */
  readonly hadChoice: boolean
  /** The model that was chosen for what is open now; null: none was. */
  readonly picked: string | null
  /** The model that was chosen last, anywhere; for conversations that have not begun. */
  readonly lastPicked: string
  /** Whether one has signed in, and where one can. */
  readonly account: Account
  /** A conversation that was deleted just now. */
  readonly undo: { readonly id: string; readonly title: string } | null
  readonly dialog: 'share' | 'conversation' | 'erase' | null
  readonly sidebarOpen: boolean
  /** This page was opened by a share, whose id is then the conversation's name. */
  readonly guest: boolean
  /** The name under which this person asks and remarks where they are a guest. */
  readonly name: string
  /** How many watch the conversation through shares. */
  readonly viewers: number
  /** What is said beside it, the oldest first, and the last change that is known of it. */
  readonly remarks: readonly Remark[]
  readonly changes: number
  readonly discussing: boolean
  /** The last change of the discussion that this person has seen, or that was there before they came. */
  readonly seen: number
  /** What they are about to say in it. */
  readonly saying: string
  /** The instructions for a conversation that has not begun. */
  readonly newPrompt: string
  /** The person has scrolled away from the end. */
  readonly away: boolean
}

export const INITIAL: State = {
  link: 'connecting',
  resumed: false,
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
  models: { default: '', models: [] },
  hadChoice: false,
  picked: null,
  lastPicked: '',
  account: { me: '', account: null, sign_in: null },
  undo: null,
  dialog: null,
  sidebarOpen: false,
  guest: false,
  name: '',
  viewers: 0,
  remarks: [],
  changes: 0,
  discussing: false,
  seen: 0,
  saying: '',
  newPrompt: '',
  away: false,
}

/** The same conversation, with the messages that have not changed since `before` as the same objects: views know them. */
export function reusing(before: Conversation | null, conversation: Conversation): Conversation {
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

/** Whether this person may ask in the conversation that is open. */
export function mayAsk(state: State): boolean {
  return !state.guest || state.conversation?.may_ask === true
}

/** Whether one has to sign in before one may write anything. */
export function mustSignIn(state: State): boolean {
  return state.account.sign_in?.required === true && state.account.account === null
}

/** Whether they may stop the answer that is being written: the owner, and a visitor who asked for it. */
export function mayStop(state: State): boolean {
  if (!state.guest) return true
  const { conversation } = state
  const answer = conversation?.messages.find((message) => message.stream === conversation.generating)
  const question = conversation?.messages.find((message) => message.id === answer?.parent_id)
  return question?.author != null && question.author.tag === conversation?.me
}

/** Whether there is a discussion to take part in. To the owner there is one as soon as there is somebody to talk to. */
export function isDiscussed(state: State): boolean {
  if (state.guest) return state.conversation?.discussion === true
  return state.remarks.length > 0 || (state.conversation?.shares ?? []).some((share) => share.discussion)
}

/** How many remarks of others have come since the discussion was last looked at. */
export function unread(state: State): number {
  if (state.discussing) return 0
  const { remarks, seen, conversation } = state
  return remarks.filter((remark) => remark.change > seen && remark.author.tag !== conversation?.me).length
}

export interface Shown {
  readonly text: string
  readonly reasoning: string
}

/** The words of a message: those of its stream where the page has them, else those that were saved. */
export function shown(message: Message, log: StreamLog | null): Shown {
  const saved = { text: message.content, reasoning: message.reasoning }
  if (!log) return saved
  // Before the first chunk there may be nothing but what was saved, and so after all was lost: the last checkpoint, or
  // the text that is to be gone on with.
  const silent = log.phase === 'unknown' || log.phase === 'gone' || (log.next === 0 && !log.end)
  return silent && log.text.length < saved.text.length ? saved : log
}
