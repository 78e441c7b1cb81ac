/**
 * The conversation that is open: reads it, watches it, follows the answer that is being written, and does what the
 * person asks for. The server's version of a conversation is the truth; what streams in lies over it until it is saved.
 */

import { type Beside, backoff, isOver, type StreamClient, type StreamLog } from '../stream'
import type { Environment } from '../stream/environment'
import { type Api, ApiError, type Conversation, type Message, type Sent, UNREACHED } from './api'
import { besideOf, type Drafts } from './drafts'
import { type Library, wordsOf } from './library'
import { chosenModel } from './models'
import { busyStream, inFlight, reusing, type State } from './state'
import type { Store } from './store'

export interface Parts {
  readonly store: Store<State>
  readonly api: Api
  readonly client: Pick<StreamClient, 'follow' | 'watch' | 'forget'>
  readonly drafts: Drafts
  readonly library: Pick<Library, 'put' | 'changed' | 'refresh' | 'remove' | 'gone'>
  readonly beside: Beside
  readonly environment: Pick<Environment, 'after' | 'random'>
  readonly newKey: () => string
  /** Put this conversation into the address bar. */
  readonly go: (conversation: string | null, how: 'push' | 'replace') => void
}

const A_CROWD = 20 // guests; fewer ask at once
const SPREAD = 5 // ms for each guest: a server answers some hundred readings a second
const LONGEST_SPREAD = 2_000 // ms

interface Wish {
  readonly key: string
  /** The message that another version was wished of, and how many it had. */
  readonly message: string
  readonly versions: number
}

export class Chat {
  readonly #parts: Parts
  /** Keys of wishes that the server has not answered: asked again, they are the same wish. */
  readonly #keys = new Map<string, Wish>()
  /** Where a send is under way; null is the conversation that has not begun. */
  readonly #sending = new Set<string | null>()
  #beginning: Promise<string> | null = null
  #unwatch = () => {}
  #unfollow = () => {}
  /** A reading that failed and is to be tried again. */
  #retry: { readonly at: string; readonly cancel: () => void } | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  // Opening

  /** Show this conversation; null: an empty one. */
  open(at: string | null): Promise<void> {
    this.#leave()
    const reading = at === null ? 'ready' : 'loading'
    const draft = this.#parts.drafts.text(at)
    const sending = this.#sending.has(at)
    this.#set({ at, conversation: null, reading, draft, sending, editing: null, notice: null, sendProblem: null })
    this.#set({ away: false, sidebarOpen: false, picked: null, dialog: null })
    this.#set({ viewers: 0, remarks: [], changes: 0, seen: 0, saying: this.#parts.drafts.text(besideOf(at)) })
    return at === null ? Promise.resolve() : this.#read(at)
  }

  /** The server can be reached again: what waits for that need not wait longer, and what says that it cannot is over. */
  reconnected(): void {
    if (this.#state.notice === UNREACHED) this.#set({ notice: null })
    if (this.#retry) void this.#read(this.#retry.at)
  }

  async #read(at: string, attempt = 0): Promise<void> {
    this.#cancelRetry()
    try {
      const conversation = await this.#parts.api.read(at)
      if (this.#state.at === at) this.#show(conversation)
    } catch (error) {
      if (this.#state.at !== at) return
      if (error instanceof ApiError && (error.status === 404 || error.status === 410)) {
        this.shutOut(error.status === 410 ? 'over' : 'missing')
        this.#parts.library.gone(at)
        return
      }
      wordsOf(error)
      if (!this.#state.conversation) this.#set({ reading: 'failed' })
      const wait = backoff(attempt, this.#parts.environment.random)
      const cancel = this.#parts.environment.after(wait, () => void this.#read(at, attempt + 1))
      this.#retry = { at, cancel }
    }
  }

  /** There is nothing to be seen here, any more or at all: what was shown is shown no more, nor kept. */
  shutOut(why: 'missing' | 'over'): void {
    // To a guest who has seen it, what is not there any more was shared once.
    const { guest, conversation, reading: before } = this.#state
    const reading = guest && (conversation !== null || before === 'over') ? 'over' : why
    for (const { stream } of this.#state.conversation?.messages ?? []) if (stream) this.#parts.client.forget(stream)
    this.#leave()
    this.#set({ reading, conversation: null, dialog: null, viewers: 0, remarks: [], changes: 0 })
  }

  #readIfStill(at: string): void {
    if (this.#state.at === at && this.#state.reading === 'ready') void this.#read(at)
  }

  #cancelRetry(): void {
    this.#retry?.cancel()
    this.#retry = null
  }

  #show(conversation: Conversation): void {
    const { client, library } = this.#parts
    // Two reads may overtake each other.
    const shown = this.#state.conversation
    if (shown?.id === conversation.id && shown.version > conversation.version) return
    this.#fulfil(conversation)
    this.#set({ conversation: reusing(shown, conversation), reading: 'ready' })
    if (shown?.id !== conversation.id) this.#set({ seen: conversation.remarks })
    library.put(conversation)
    for (const message of conversation.messages) {
      if (message.stream && !inFlight(message)) client.forget(message.stream)
    }
    const news = () => {
      // A thousand who watch hear of a question at the same instant, and need not all ask in it.
      const crowd = this.#state.guest ? Math.min(LONGEST_SPREAD, this.#state.viewers * SPREAD) : 0
      if (crowd < SPREAD * A_CROWD) void this.#read(conversation.id)
      else
        this.#parts.environment.after(this.#parts.environment.random() * crowd, () =>
          this.#readIfStill(conversation.id),
        )
      void library.refresh()
    }
    this.#unwatch = client.watch(conversation.id, conversation.version, news, this.#parts.beside)
    this.#follow(conversation.messages.find(inFlight)?.stream ?? null)
  }

  /** What was wished is there, though the server's answer was lost: wished again, it is another wish. */
  #fulfil(conversation: Conversation): void {
    for (const [wish, { message, versions }] of this.#keys) {
      const place = conversation.messages.find((it) => it.versions.includes(message))
      if (place && place.versions.length > versions) this.#keys.delete(wish)
    }
    const { at, draft, sendProblem, conversation: shown } = this.#state
    const known = new Set(shown?.messages.map((it) => it.id))
    const arrived = conversation.messages.some((it) => it.role === 'user' && it.content === draft && !known.has(it.id))
    if (at === conversation.id && sendProblem !== null && shown && arrived) {
      this.#parts.drafts.clear(at)
      this.#set({ draft: '', sendProblem: null })
    }
  }

  #follow(stream: string | null): void {
    if (stream === (this.#state.live?.stream ?? null)) return
    this.#unfollow()
    this.#unfollow = () => {}
    this.#set({ live: null, stopping: null })
    if (!stream) return
    this.#unfollow = this.#parts.client.follow(stream, (log) => {
      this.#parts.store.setForNextFrame({ live: { stream, log: this.#inSight(log) } })
      const { at } = this.#state
      // The server knows what became of it; if the reading is early, news will come.
      if (isOver(log) && at) void this.#read(at)
    })
  }

  /** Another incarnation of a text begins with none of it: until its words come, those of the one before stay in sight. */
  #inSight(log: StreamLog): StreamLog {
    const before = this.#state.live?.log
    if (!before || log.next > 0 || log.phase !== 'running') return log
    return { ...log, text: before.text, reasoning: before.reasoning }
  }

  #leave(): void {
    this.#unwatch()
    this.#unwatch = () => {}
    this.#follow(null)
    this.#cancelRetry()
  }

  // What the person asks for

  type(draft: string): void {
    this.#parts.drafts.type(this.#state.at, draft)
    this.#set({ draft })
  }

  /**
   * Send the draft. It stays where it is until the server has it. The person may go elsewhere meanwhile; what comes of
   * the send is then shown where it belongs, and nowhere else.
   */
  async send(): Promise<void> {
    const { drafts, api, library } = this.#parts
    const { draft } = this.#state
    const model = chosenModel(this.#state)
    let { at } = this.#state
    if (this.#sending.has(at) || draft.trim() === '' || busyStream(this.#state)) return
    this.#setSending(at, true)
    this.#set({ sendProblem: null })
    try {
      if (at === null) {
        const begun = await this.#begin()
        this.#setSending(at, false)
        at = begun
        this.#setSending(at, true)
      }
      const sent = await api.send(at, draft, drafts.key(at), model)
      drafts.clear(at)
      if (this.#state.at === at) {
        this.#set({ draft: '', away: false })
        this.#attach(sent)
      }
      await library.refresh()
    } catch (error) {
      const words = wordsOf(error)
      if (this.#state.at === at) this.#set({ sendProblem: words })
      else this.#set({ notice: `A message was not sent. ${words} Its words are kept where you typed them.` })
      this.#readAgainAfter(error)
    } finally {
      this.#setSending(at, false)
    }
  }

  /** The conversation that is open; one that has not begun begins now. Rejects with ApiError. */
  async begun(): Promise<string> {
    return this.#state.at ?? (await this.#begin())
  }

  /** Whoever wants the conversation to begin while it begins gets the same one. */
  #begin(): Promise<string> {
    this.#beginning ??= this.#create().finally(() => {
      this.#beginning = null
    })
    return this.#beginning
  }

  /** What stands in the composer goes along. */
  async #create(): Promise<string> {
    const { api, drafts, go } = this.#parts
    const { draft, newPrompt } = this.#state
    const conversation = await api.create(newPrompt)
    this.#set({ newPrompt: '' })
    if (drafts.text(null) === draft) drafts.move(null, conversation.id)
    if (this.#state.at === null) {
      this.#set({ at: conversation.id })
      go(conversation.id, 'push')
      this.#show(conversation)
    }
    return conversation.id
  }

  #setSending(at: string | null, sending: boolean): void {
    if (sending) this.#sending.add(at)
    else this.#sending.delete(at)
    if (this.#state.at === at) this.#set({ sending })
  }

  regenerate(message: Message): Promise<void> {
    const model = chosenModel(this.#state)
    return this.#ask(`regenerate ${message.id}`, message, (key) => this.#parts.api.regenerate(message.id, key, model))
  }

  /** Have an answer that was cut off gone on with. */
  continue(message: Message): Promise<void> {
    const model = chosenModel(this.#state)
    return this.#ask(`continue ${message.id}`, message, (key) => this.#parts.api.continue(message.id, key, model))
  }

  edit(message: Message, content: string): Promise<void> {
    if (content.trim() === '' || content === message.content) {
      this.#set({ editing: null })
      return Promise.resolve()
    }
    const model = chosenModel(this.#state)
    return this.#ask(`edit ${message.id} ${content}`, message, (key) =>
      this.#parts.api.edit(message.id, content, key, model),
    )
  }

  async #ask(wish: string, message: Message, send: (key: string) => Promise<Sent>): Promise<void> {
    if (busyStream(this.#state)) {
      this.#set({ notice: 'An answer is being written. Wait for its end, or stop it.' })
      return
    }
    const key = this.#keys.get(wish)?.key ?? this.#parts.newKey()
    this.#keys.set(wish, { key, message: message.id, versions: message.versions.length })
    this.#set({ notice: null })
    try {
      const sent = await send(key)
      this.#keys.delete(wish)
      if (this.#state.at === sent.conversation) {
        this.#set({ editing: null, away: false })
        this.#attach(sent)
      }
      await this.#parts.library.refresh()
    } catch (error) {
      this.#set({ notice: wordsOf(error) })
      this.#readAgainAfter(error)
    }
  }

  /** Put what was sent on the path that is shown. */
  #attach(sent: Sent): void {
    const { conversation } = this.#state
    if (!conversation) return
    const { question, answer, version, stream } = sent
    const parent = conversation.messages.findIndex((message) => message.id === question.parent_id)
    const messages = [...conversation.messages.slice(0, parent + 1), question, answer]
    const known = conversation.version
    if (version > known) this.#show({ ...conversation, messages, version, generating: stream })
    // Something happened in between, in another tab; or this send was done long ago and the page does not know more.
    if (version !== known + 1) void this.#read(conversation.id)
  }

  async stop(): Promise<void> {
    const stopping = busyStream(this.#state)
    if (!stopping) return
    this.#set({ stopping, notice: null })
    try {
      await this.#parts.api.stop(stopping)
    } catch (error) {
      this.#set({ stopping: null, notice: wordsOf(error) })
    }
  }

  /** Show another version of a message, and what followed it. */
  async select(version: string): Promise<void> {
    this.#set({ notice: null, editing: null })
    try {
      const conversation = await this.#parts.api.select(version)
      if (this.#state.at === conversation.id) this.#show(conversation)
    } catch (error) {
      this.#set({ notice: wordsOf(error) })
    }
  }

  /** What was changed about the conversation is to be seen. */
  async readAgain(): Promise<void> {
    if (this.#state.at) await this.#read(this.#state.at)
  }

  async remove(id: string): Promise<void> {
    const removed = await this.#parts.library.remove(id)
    if (!removed) return
    if (this.#state.at !== id) return
    this.#parts.go(null, 'replace')
    await this.open(null)
  }

  /**
   * The server knows more than this page: an answer is being written there, or what was meant is gone, or what it could
   * not take in the end was already seen while it tried.
   */
  #readAgainAfter(error: unknown): void {
    const { at } = this.#state
    if (!(error instanceof ApiError && [404, 409, 503].includes(error.status))) return
    if (at) void this.#read(at)
    this.#parts.library.changed()
  }

  get #state(): State {
    return this.#parts.store.state
  }

  #set(change: Partial<State>): void {
    this.#parts.store.set(change)
  }
}
