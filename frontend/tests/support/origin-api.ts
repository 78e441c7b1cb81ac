/** The server behind the JSON API, in memory: what it keeps, and faults that a test may ask for. */

import {
  type Account,
  type Api,
  ApiError,
  type Conversation,
  type Listing,
  type Message,
  type MessageStatus,
  type Models,
  type Sent,
  type Share,
  type Terms,
} from '../../src/chat/api'
import type { Remark } from '../../src/stream'

interface Kept {
  id: string
  title: string
  version: number
  generating: string | null
  system_prompt: string
  shares: Share[]
  remarks: number
  messages: Message[]
}

export function remark(change: number, content: string, name: string): Remark {
  const author = { name, tag: name.toLowerCase(), owner: false }
  return { id: `r${change}`, change, author, content, created_at: '2026-01-01T00:00:00Z', removed: false }
}

export class OriginApi implements Api {
  readonly conversations = new Map<string, Kept>()
  /** Every request, as `method argument…`. */
  readonly requests: string[] = []
  /** Taken by the next requests, one each: before the server has done anything, or after. */
  readonly faults: { when: 'before' | 'after'; error: ApiError }[] = []
  readonly #deleted = new Map<string, Kept>()
  /** What can be asked. */
  offered: Models = { default: '', models: [] }
  /** Who asks. */
  person: Account = { me: 'browser', account: null, sign_in: null }
  readonly #sentByKey = new Map<string, Sent>()
  #count = 0

  // What a test does on the server

  put(title: string, ...statuses: MessageStatus[]): Kept {
    const nothing = { system_prompt: '', shares: [], remarks: 0, messages: [] }
    const kept: Kept = { id: `c${++this.#count}`, title, version: 1, generating: null, ...nothing }
    for (const status of statuses)
      kept.messages.push(this.#message(kept, status === 'complete' ? 'user' : 'assistant', status))
    kept.generating = kept.messages.find((it) => it.status === 'queued' || it.status === 'running')?.stream ?? null
    this.conversations.set(kept.id, kept)
    return kept
  }

  settle(id: string, content: string, status: MessageStatus = 'finished'): void {
    const kept = this.#of(id)
    kept.messages = kept.messages.map((it) => (it.stream === kept.generating ? { ...it, content, status } : it))
    kept.generating = null
    kept.version += 1
  }

  // Api

  list = (words: string): Promise<Listing> =>
    this.#answer('list', () => {
      const found = [...this.conversations.values()].filter((it) => it.title.includes(words))
      return { items: found.reverse().map(asConversation), next: null }
    })
  create = (prompt: string) => this.#answer('create', () => asConversation({ ...this.put(''), system_prompt: prompt }))
  read = (id: string) => this.#answer(`read ${id}`, () => asConversation(this.#of(id)))

  change = (id: string, { title, system_prompt }: { title?: string; system_prompt?: string }) =>
    this.#answer(`change ${id} ${title ?? system_prompt}`, () => {
      const kept = this.#of(id)
      kept.title = title ?? kept.title
      kept.system_prompt = system_prompt ?? kept.system_prompt
      kept.version += 1
      return asConversation(kept)
    })

  remove = (id: string) =>
    this.#answer(`remove ${id}`, () => {
      this.#deleted.set(id, this.#of(id))
      this.conversations.delete(id)
    })

  restore = (id: string) =>
    this.#answer(`restore ${id}`, () => {
      const kept = this.#deleted.get(id)
      if (!kept) throw new ApiError(404, 'There is nothing of yours at this address.')
      this.conversations.set(id, kept)
      return asConversation(kept)
    })

  erase = () => this.#answer('erase', () => this.conversations.clear())

  send = (id: string, content: string, key: string, model: string | null) =>
    this.#answer(`send ${id} ${content} ${key}`, () =>
      this.#once(key, () => {
        const kept = this.#of(id)
        const parent = kept.messages.at(-1)?.id ?? null
        kept.title ||= content
        return this.#generate(kept, { ...this.#message(kept, 'user', 'complete'), content, parent_id: parent }, model)
      }),
    )

  regenerate = (message: string, key: string, model: string | null) =>
    this.#answer(`regenerate ${message} ${key}`, () =>
      this.#once(key, () => {
        const kept = this.#holder(message)
        const at = kept.messages.findIndex((it) => it.id === message)
        const [question] = kept.messages.splice(at - 1)
        return this.#generate(kept, question as Message, model)
      }),
    )

  continue = (message: string, key: string, model: string | null) =>
    this.#answer(`continue ${message} ${key}`, () =>
      this.#once(key, () => {
        const kept = this.#holder(message)
        const at = kept.messages.findIndex((it) => it.id === message)
        const [question, cutOff] = kept.messages.splice(at - 1)
        const sent = this.#generate(kept, question as Message, model)
        const answer = { ...sent.answer, content: cutOff?.content ?? '' }
        kept.messages = kept.messages.map((it) => (it.id === answer.id ? answer : it))
        return { ...sent, answer }
      }),
    )

  edit = (message: string, content: string, key: string, model: string | null) =>
    this.#answer(`edit ${message} ${key}`, () =>
      this.#once(key, () => {
        const kept = this.#holder(message)
        const [question] = kept.messages.splice(kept.messages.findIndex((it) => it.id === message))
        return this.#generate(kept, { ...(question as Message), id: `m${++this.#count}`, content }, model)
      }),
    )

  select = (message: string) => this.#answer(`select ${message}`, () => asConversation(this.#holder(message)))
  stop = (stream: string) => this.#answer(`stop ${stream}`, () => {})

  share = (id: string, terms: Terms) =>
    this.#answer(`share ${id}`, () => {
      const share = { id: `s${++this.#count}`, ...terms }
      const kept = this.#of(id)
      kept.shares.push(share)
      kept.version += 1
      return share
    })

  revoke = (share: string) =>
    this.#answer(`revoke ${share}`, () => {
      for (const kept of this.conversations.values()) kept.shares = kept.shares.filter((it) => it.id !== share)
    })

  remark = (id: string, content: string, name: string) =>
    this.#answer(`remark ${id} ${content} ${name}`, () => remark(++this.#count, content, name))
  removeRemark = (id: string, of: string) =>
    this.#answer(`removeRemark ${id} ${of}`, () => ({ ...remark(++this.#count, '', ''), id: of, removed: true }))
  digest = (stream: string, position: string | null) =>
    this.#answer(`digest ${stream} ${position}`, () => ({ sha256: '', index: null }))
  models = () => this.#answer('models', () => this.offered)
  account = () => this.#answer('account', () => this.person)
  signOut = () => this.#answer('signOut', () => ({ location: '/bye' }))

  #once(key: string, send: () => Sent): Sent {
    const sent = this.#sentByKey.get(key) ?? send()
    this.#sentByKey.set(key, sent)
    return sent
  }

  #generate(kept: Kept, question: Message, model: string | null): Sent {
    if (kept.generating) throw new ApiError(409, 'An answer is being written in this conversation.')
    const answer = { ...this.#message(kept, 'assistant', 'queued'), parent_id: question.id, model }
    kept.messages.push(question, answer)
    kept.generating = answer.stream
    kept.version += 1
    const stream = answer.stream as string
    return { conversation: kept.id, version: kept.version, question, answer, stream }
  }

  #message(kept: Kept, role: Message['role'], status: MessageStatus): Message {
    const id = `m${++this.#count}`
    const stream = role === 'assistant' ? `st_${id}` : null
    const parent_id = kept.messages.at(-1)?.id ?? null
    return {
      id,
      parent_id,
      role,
      author: null,
      content: '',
      reasoning: '',
      status,
      reason: null,
      stream,
      model: null,
      versions: [id],
    }
  }

  async #answer<T>(request: string, act: () => T): Promise<T> {
    this.requests.push(request)
    const fault = this.faults.shift()
    if (fault?.when === 'before') throw fault.error
    const answer = act()
    if (fault) throw fault.error
    return answer
  }

  #of(id: string): Kept {
    const kept = this.conversations.get(id)
    if (!kept) throw new ApiError(404, 'There is nothing of yours at this address.')
    return kept
  }

  #holder(message: string): Kept {
    const kept = [...this.conversations.values()].find((it) => it.messages.some((other) => other.id === message))
    if (!kept) throw new ApiError(404, 'There is nothing of yours at this address.')
    return kept
  }
}

function asConversation(kept: Kept): Conversation {
  return {
    ...kept,
    messages: [...kept.messages],
    shares: [...kept.shares],
    me: 'me',
    updated_at: `2026-01-01T00:00:${String(kept.version).padStart(2, '0')}Z`,
  }
}
