/**
 * What a page uses: any number of streams and conversations over one connection, which it keeps alive. After every
 * reconnect all positions are sent again, so that only what is missing travels.
 */

import { comeback } from './backoff'
import { Connection } from './connection'
import type { Cancel, Close, Environment } from './environment'
import { Followed, type LogListener } from './followed'
import type { Gone, Remark, ServerFrame } from './frames'
import { EMPTY, type StreamLog } from './log'
import { monitor } from './monitor'
import { LogStorage } from './storage'

/**
 * `reconnecting`: it was lost, and the next attempt is under way or waits. `offline`: the browser has no network.
 * `shut`: the share by which this page came is over, or never was; nothing comes any more.
 */
export type Link = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'shut'

export type NewsListener = (version: number) => void

/** What happens beside a conversation: asked what is known, and told what is not. */
export interface Beside {
  /** The last change of the discussion that is known; null: no part is taken in it. */
  changes(): number | null
  viewers(): number
  discussed(remarks: readonly Remark[]): void
  viewed(viewers: number): void
}

const SHUT: ReadonlySet<number> = new Set([4404, 4410]) // close codes of PROTOCOL.md after which nobody comes back

/** Frames that a server in trouble sends too, before it closes: they do not make the next attempt an early one. */
const OPENING: ReadonlySet<ServerFrame['type']> = new Set(['hello', 'following', 'gone', 'problem'])

interface Watched {
  readonly version: number
  readonly listener: NewsListener
  readonly beside: Beside | undefined
}

export class StreamClient {
  readonly #environment: Environment
  readonly #url: string
  readonly #storage: LogStorage
  readonly #followed = new Map<string, Followed>()
  readonly #watched = new Map<string, Watched>()
  #listListener: (() => void) | null = null
  readonly #linkListeners = new Set<(link: Link) => void>()
  readonly #cancelMonitor: Cancel

  #connection: Connection | null = null
  #cancelWait: Cancel | null = null
  #failures = 0
  /** Streams for which a second socket was asked. */
  readonly #askedTwice = new Set<string>()
  #wasLost = false
  /** The browser said that the network went; the next frame proves it wrong. */
  #doubted = false
  #shutBy: number | null = null
  #link: Link = 'connecting'

  readonly #resumeListeners = new Set<() => void>()
  /** Streams that were asked for and not answered yet. */
  readonly #asked = new Set<string>()

  /** Connects at once. `url` is that of the server's `GET /api/socket`. */
  constructor(environment: Environment, url: string) {
    this.#environment = environment
    this.#url = url
    this.#storage = new LogStorage(environment)
    this.#cancelMonitor = monitor(environment, {
      check: () => this.#check(),
      network: () => this.#networkChanged(),
    })
    this.#connect()
  }

  get link(): Link {
    return this.#link
  }

  /** The close code with which the server shut this page out: 4404 or 4410. */
  get shutBy(): number | null {
    return this.#shutBy
  }

  /** Hear of every change of `link`. */
  onLink(listener: (link: Link) => void): Cancel {
    this.#linkListeners.add(listener)
    return () => this.#linkListeners.delete(listener)
  }

  /** Hear whenever a stream that is being written goes on from where this tab had it. */
  onResume(listener: () => void): Cancel {
    this.#resumeListeners.add(listener)
    return () => this.#resumeListeners.delete(listener)
  }

  /**
   * Follow a stream. The listener is called at once with what this tab has kept of it, and with each newer log.
   * A stream that this tab has seen end is not asked for again.
   */
  follow(stream: string, listener: LogListener): Cancel {
    const followed = this.#followed.get(stream) ?? this.#begin(stream)
    const own: LogListener = (log) => listener(log) // the same function may be given twice
    followed.listeners.add(own)
    own(followed.log)
    return () => {
      if (!followed.listeners.delete(own) || followed.listeners.size > 0) return
      this.#followed.delete(stream)
      this.#connection?.send({ type: 'unfollow', stream })
    }
  }

  /**
   * Hear whenever a conversation is newer than `version` and, if asked for, what happens beside it. Watching it again
   * replaces the earlier watch.
   */
  watch(conversation: string, version: number, listener: NewsListener, beside?: Beside): Cancel {
    const watched = { version, listener, beside }
    this.#watched.set(conversation, watched)
    this.#sendWatch(conversation, watched)
    return () => {
      if (this.#watched.get(conversation) !== watched) return
      this.#watched.delete(conversation)
      this.#connection?.send({ type: 'unwatch', conversation })
    }
  }

  /** Hear whenever the list of conversations may have changed, and once after every connection. */
  watchList(listener: () => void): void {
    this.#listListener = listener
    this.#connection?.send({ type: 'watch_list' })
  }

  /** What is known of a stream now. */
  log(stream: string): StreamLog {
    return this.#followed.get(stream)?.log ?? this.#storage.load(stream) ?? EMPTY
  }

  /** Drop what this tab has kept of a stream: it is in a saved message now. */
  forget(stream: string): void {
    this.#storage.forget(stream)
  }

  /** The cookie names somebody else now: ask by another socket, which is theirs. All positions are sent again. */
  renew(): void {
    this.#connection?.abandon()
  }

  /** Leave for good. */
  close(): void {
    this.#cancelMonitor()
    this.#cancelWait?.()
    this.#connection?.close()
    this.#connection = null
    this.#storage.close()
  }

  #begin(stream: string): Followed {
    const followed = new Followed(this.#storage.load(stream) ?? EMPTY, {
      ask: (position) =>
        this.#connection?.send(position ? { type: 'follow', stream, position } : { type: 'follow', stream }),
      changed: (log) => this.#storage.keep(stream, log),
      giveUp: () => this.#connection?.abandon(),
    })
    this.#followed.set(stream, followed)
    this.#ask(stream, followed)
    return followed
  }

  #connect(): void {
    this.#cancelWait?.()
    this.#cancelWait = null
    this.#connection = new Connection(this.#environment, this.#url, {
      frame: (frame) => this.#receive(frame),
      lost: (close) => this.#lost(close),
    })
    this.#refreshLink()
  }

  #receive(frame: ServerFrame): void {
    if (!OPENING.has(frame.type)) this.#failures = 0
    this.#doubted = false
    switch (frame.type) {
      case 'hello':
        this.#sendAll()
        break
      case 'following':
        this.#followed.get(frame.stream)?.take(frame)
        if (this.#asked.delete(frame.stream) && frame.index > 0 && frame.state === 'running') {
          for (const listener of this.#resumeListeners) listener()
        }
        break
      case 'queue':
      case 'chunks':
      case 'end':
        this.#followed.get(frame.stream)?.take(frame)
        break
      case 'gone':
        this.#refused(frame)
        break
      case 'news':
        this.#tell(frame.conversation, frame.version)
        break
      case 'remarks':
        this.#watched.get(frame.conversation)?.beside?.discussed(frame.remarks)
        break
      case 'audience':
        this.#watched.get(frame.conversation)?.beside?.viewed(frame.viewers)
        break
      case 'list':
        this.#listListener?.()
        break
      case 'problem':
        this.#environment.report(`${frame.problem.status} ${frame.problem.title}: ${frame.problem.detail ?? ''}`)
        if (frame.stream !== null) this.#refused({ type: 'gone', stream: frame.stream, problem: frame.problem })
    }
    this.#refreshLink()
  }

  /**
   * A stream cannot be served. A socket belongs to whom the cookie named at its handshake, and that may have been
   * nobody yet: before a 404 is believed, another socket is asked.
   */
  #refused(frame: Gone): void {
    if (frame.problem.status === 404 && !this.#askedTwice.has(frame.stream) && this.#followed.has(frame.stream)) {
      this.#askedTwice.add(frame.stream)
      this.#connection?.abandon()
    } else this.#followed.get(frame.stream)?.take(frame)
  }

  #ask(stream: string, followed: Followed): void {
    this.#asked.add(stream)
    followed.begin()
  }

  #sendAll(): void {
    for (const [stream, followed] of this.#followed) this.#ask(stream, followed)
    for (const [conversation, watched] of this.#watched) this.#sendWatch(conversation, watched)
    if (this.#listListener) this.#connection?.send({ type: 'watch_list' })
  }

  #sendWatch(conversation: string, { version, beside }: Watched): void {
    const remarks = beside?.changes() ?? null
    const known = { ...(remarks !== null && { remarks }), ...(beside && { viewers: beside.viewers() }) }
    this.#connection?.send({ type: 'watch', conversation, version, ...known })
  }

  #tell(conversation: string, version: number): void {
    const watched = this.#watched.get(conversation)
    if (watched && version > watched.version) watched.listener(version)
  }

  #lost(close: Close): void {
    this.#wasLost = true
    this.#connection = null
    if (SHUT.has(close.code)) this.#shutBy = close.code
    if (this.#shutBy) {
      this.#refreshLink()
      return
    }
    const wait = comeback(close, this.#failures, this.#environment.random)
    this.#failures += 1
    this.#cancelWait = this.#environment.after(wait, () => this.#connect())
    this.#refreshLink()
  }

  #check(): void {
    if (this.#connection) this.#connection.probe()
    else if (this.#cancelWait) this.#connect()
  }

  #networkChanged(): void {
    this.#doubted ||= !this.#environment.online()
    this.#refreshLink()
  }

  #refreshLink(): void {
    const link = this.#currentLink()
    if (link === this.#link) return
    this.#link = link
    for (const listener of this.#linkListeners) listener(link)
  }

  #currentLink(): Link {
    if (this.#shutBy) return 'shut'
    if (this.#connection?.live && !this.#doubted) return 'live'
    if (!this.#environment.online()) return 'offline'
    return this.#wasLost || this.#doubted ? 'reconnecting' : 'connecting'
  }
}
