/** The JSON API: one method for each thing that the page asks of the server, and one error for every refusal. */

import type { Author, Remark } from '../stream'

export type MessageStatus = 'complete' | 'queued' | 'running' | 'finished' | 'failed' | 'cancelled' | 'interrupted'

export interface Message {
  readonly id: string
  readonly parent_id: string | null
  readonly role: 'user' | 'assistant'
  /** The visitor who asked; null: the owner, or the model. */
  readonly author: Author | null
  /** Of an answer in flight: its last checkpoint. The stream has the rest. */
  readonly content: string
  readonly reasoning: string
  readonly status: MessageStatus
  readonly reason: string | null
  readonly stream: string | null
  readonly model: string | null
  /** The ids of its siblings and itself, the oldest first. */
  readonly versions: readonly string[]
}

export interface Summary {
  readonly id: string
  readonly title: string
  readonly version: number
  readonly generating: string | null
  readonly updated_at: string
}

/** What a link is good for. */
export interface Terms {
  readonly may_ask: boolean
  readonly discussion: boolean
  readonly shows_prompt: boolean
  readonly indexed: boolean
  readonly expires_at: string | null
}

export interface Share extends Terms {
  readonly id: string
}

export interface Conversation extends Summary {
  /** The path that is shown, the first message first. */
  readonly messages: readonly Message[]
  /** null: it is not shown to visitors. */
  readonly system_prompt: string | null
  /** How many changes its discussion has seen. */
  readonly remarks: number
  /** The tag of whoever reads it, as an author in it. */
  readonly me: string
  /** The owner's links to it; visitors see none. */
  readonly shares?: readonly Share[]
  /** What a visitor may do. */
  readonly may_ask?: boolean
  readonly discussion?: boolean
}

export interface Listing {
  readonly items: readonly Summary[]
  readonly next: string | null
}

export interface Sent {
  readonly conversation: string
  readonly version: number
  readonly question: Message
  readonly answer: Message
  readonly stream: string
}

export interface Models {
  /** The one that answers where none is named; empty while the server does not know. */
  readonly default: string
  readonly models: readonly string[]
}

/** Who this browser is to the server. */
export interface Account {
  /** Another one after signing in or out, in whichever tab. */
  readonly me: string
  /** null: nobody has signed in. */
  readonly account: { readonly name: string; readonly email: string | null } | null
  /** Where one can sign in; null: there are no accounts here. */
  readonly sign_in: { readonly name: string; readonly at: string; readonly required: boolean } | null
}

export const UNREACHED = 'The server could not be reached.'

/** The key names one wish of the person: sent again with the same key, it starts nothing new. */
export interface Api {
  /** With words: only those in whose title or messages they stand. */
  list(words: string, before?: string): Promise<Listing>
  create(systemPrompt: string): Promise<Conversation>
  read(conversation: string): Promise<Conversation>
  change(conversation: string, change: { title?: string; system_prompt?: string }): Promise<Conversation>
  remove(conversation: string): Promise<void>
  restore(conversation: string): Promise<Conversation>
  /** Everything of this person's, at once and for good. */
  erase(): Promise<void>
  /** Without a model, here and below: the server's own choice. */
  send(conversation: string, content: string, key: string, model: string | null): Promise<Sent>
  regenerate(message: string, key: string, model: string | null): Promise<Sent>
  /** Go on with an answer that was cut off, in a version that begins with what there is. */
  continue(message: string, key: string, model: string | null): Promise<Sent>
  edit(message: string, content: string, key: string, model: string | null): Promise<Sent>
  select(message: string): Promise<Conversation>
  stop(stream: string): Promise<void>
  models(): Promise<Models>
  account(): Promise<Account>
  /** Leave the account; returns where to go. */
  signOut(): Promise<{ readonly location: string }>
  share(conversation: string, terms: Terms): Promise<Share>
  revoke(share: string): Promise<void>
  remark(conversation: string, content: string, name: string): Promise<Remark>
  removeRemark(conversation: string, remark: string): Promise<Remark>
  /** The digest of a stream's text up to a position, as the server has it. */
  digest(stream: string, position: string | null): Promise<Digest>
}

/** The SHA-256 of the UTF-8 text of [0, index), in hexadecimal digits. */
export interface Digest {
  readonly sha256: string
  readonly index: number | null
}

/** The server said no, or could not be asked (status 0). The message is a sentence for the person. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const PATIENCE = 30_000 // ms; a request that takes longer has been lost on its way

export function httpApi(): Api {
  const conversation = (id: string) => `/api/conversations/${encodeURIComponent(id)}`
  const message = (id: string) => `/api/messages/${encodeURIComponent(id)}`
  return {
    list: (words, before) =>
      call('GET', `/api/conversations?${new URLSearchParams({ q: words, ...(before && { before }) })}`),
    create: (system_prompt) => call('POST', '/api/conversations', { system_prompt }),
    read: (id) => call('GET', conversation(id)),
    change: (id, change) => call('PATCH', conversation(id), change),
    remove: (id) => call('DELETE', conversation(id)),
    restore: (id) => call('POST', `${conversation(id)}/restore`, {}),
    erase: () => call('DELETE', '/api/me'),
    send: (id, content, key, model) =>
      call('POST', `${conversation(id)}/messages`, { content, ...(model && { model }) }, key),
    regenerate: (id, key, model) => call('POST', `${message(id)}/regenerate`, { ...(model && { model }) }, key),
    continue: (id, key, model) => call('POST', `${message(id)}/continue`, { ...(model && { model }) }, key),
    edit: (id, content, key, model) => call('POST', `${message(id)}/edit`, { content, ...(model && { model }) }, key),
    select: (id) => call('POST', `${message(id)}/select`, {}),
    stop: (stream) => call('POST', `/api/streams/${encodeURIComponent(stream)}/stop`, {}),
    models: () => call('GET', '/api/models'),
    account: () => call('GET', '/api/account'),
    signOut: () => call('POST', '/api/account/sign-out', {}),
    share: (id, terms) => call('POST', `${conversation(id)}/shares`, terms),
    revoke: (share) => call('DELETE', sharePath(share)),
    remark: (id, content, name) => call('POST', `${conversation(id)}/remarks`, { content, name }),
    removeRemark: (id, remark) => call('DELETE', `${conversation(id)}/remarks/${encodeURIComponent(remark)}`),
    digest: (stream, position) => call('GET', digestPath(stream, { ...(position && { position }) })),
  }
}

/** For whoever came by a share, which is also the conversation's name. What only the owner can do is not found there. */
export function sharedApi(share: string, name: () => string): Api {
  const path = sharePath(share)
  return {
    ...httpApi(),
    read: () => call('GET', path),
    send: (_, content, key) => call('POST', `${path}/messages`, { content, name: name() }, key),
    stop: () => call('POST', `${path}/stop`, {}),
    remark: (_, content, author) => call('POST', `${path}/remarks`, { content, name: author }),
    removeRemark: (_, remark) => call('DELETE', `${path}/remarks/${encodeURIComponent(remark)}`),
    digest: (stream, position) => call('GET', digestPath(stream, { share, ...(position && { position }) })),
  }
}

function sharePath(share: string): string {
  return `/api/shares/${encodeURIComponent(share)}`
}

function digestPath(stream: string, query: Record<string, string>): string {
  return `/api/streams/${encodeURIComponent(stream)}/digest?${new URLSearchParams(query)}`
}

async function call<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
  const headers = new Headers({ Accept: 'application/json' })
  if (body) headers.set('Content-Type', 'application/json')
  if (key) {
    headers.set('Idempotency-Key', key)
    // One wish, one id in the logs; and one trace, where the server has traces (https://www.w3.org/TR/trace-context/).
    headers.set('X-Request-ID', key)
    headers.set('traceparent', `00-${key}-${key.slice(0, 16)}-01`)
  }
  const request: RequestInit = { method, headers, signal: AbortSignal.timeout(PATIENCE) }
  if (body) request.body = JSON.stringify(body)
  let response: Response
  let answer: unknown
  try {
    response = await fetch(path, request)
    answer = response.status === 204 ? undefined : await response.json()
  } catch {
    throw new ApiError(0, UNREACHED)
  }
  if (!response.ok) throw new ApiError(response.status, detailOf(answer) ?? `The server answered ${response.status}.`)
  return answer as T
}

/** The `detail` of an RFC 9457 problem. */
function detailOf(answer: unknown): string | null {
  const detail = (answer as { detail?: unknown } | null)?.detail
  return typeof detail === 'string' ? detail : null
}
