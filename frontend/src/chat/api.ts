/** The JSON API: one method for each thing that the page asks of the server, and one error for every refusal. */

export type MessageStatus = 'complete' | 'queued' | 'running' | 'finished' | 'failed' | 'cancelled' | 'interrupted'

export interface Message {
  readonly id: string
  readonly parent_id: string | null
  readonly role: 'user' | 'assistant'
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

export interface Conversation extends Summary {
  /** The path that is shown, the first message first. */
  readonly messages: readonly Message[]
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

/** The key names one wish of the person: sent again with the same key, it starts nothing new. */
export interface Api {
  /** With words: only those in whose title or messages they stand. */
  list(words: string, before?: string): Promise<Listing>
  create(): Promise<Conversation>
  read(conversation: string): Promise<Conversation>
  rename(conversation: string, title: string): Promise<Conversation>
  remove(conversation: string): Promise<void>
  /** Without a model, here and below: the server's own choice. */
  send(conversation: string, content: string, key: string, model: string | null): Promise<Sent>
  regenerate(message: string, key: string, model: string | null): Promise<Sent>
  edit(message: string, content: string, key: string, model: string | null): Promise<Sent>
  select(message: string): Promise<Conversation>
  stop(stream: string): Promise<void>
  models(): Promise<Models>
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
    create: () => call('POST', '/api/conversations', {}),
    read: (id) => call('GET', conversation(id)),
    rename: (id, title) => call('PATCH', conversation(id), { title }),
    remove: (id) => call('DELETE', conversation(id)),
    send: (id, content, key, model) =>
      call('POST', `${conversation(id)}/messages`, { content, ...(model && { model }) }, key),
    regenerate: (id, key, model) => call('POST', `${message(id)}/regenerate`, { ...(model && { model }) }, key),
    edit: (id, content, key, model) => call('POST', `${message(id)}/edit`, { content, ...(model && { model }) }, key),
    select: (id) => call('POST', `${message(id)}/select`, {}),
    stop: (stream) => call('POST', `/api/streams/${encodeURIComponent(stream)}/stop`, {}),
    models: () => call('GET', '/api/models'),
  }
}

async function call<T>(method: string, path: string, body?: object, key?: string): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (body) headers['Content-Type'] = 'application/json'
  if (key) headers['Idempotency-Key'] = key
  const request: RequestInit = { method, headers, signal: AbortSignal.timeout(PATIENCE) }
  if (body) request.body = JSON.stringify(body)
  let response: Response
  let answer: unknown
  try {
    response = await fetch(path, request)
    answer = response.status === 204 ? undefined : await response.json()
  } catch {
    throw new ApiError(0, 'The server could not be reached.')
  }
  if (!response.ok) throw new ApiError(response.status, detailOf(answer) ?? `The server answered ${response.status}.`)
  return answer as T
}

/** The `detail` of an RFC 9457 problem. */
function detailOf(answer: unknown): string | null {
  const detail = (answer as { detail?: unknown } | null)?.detail
  return typeof detail === 'string' ? detail : null
}
