/**
 * The frames of webapp/PROTOCOL.md, section 2. What the server sends is parsed here, once, into values that the
 * rest of the page can trust; a frame that is not as the page says raises a FrameError that names the field.
 */

export type StreamState = 'queued' | 'running' | 'ended'
export type Outcome = 'finished' | 'failed' | 'cancelled' | 'interrupted'
export type Usage = Readonly<Record<string, number>>

/** An RFC 9457 problem. */
export interface Problem {
  readonly status: number
  readonly title: string
  readonly detail: string | null
}

export type ClientFrame =
  | { readonly type: 'follow'; readonly stream: string; readonly position?: string }
  | { readonly type: 'unfollow'; readonly stream: string }
  | {
      readonly type: 'watch'
      readonly conversation: string
      readonly version: number
      /** The last change of its discussion that the page knows. */
      readonly remarks?: number
      readonly viewers?: number
    }
  | { readonly type: 'unwatch'; readonly conversation: string }
  | { readonly type: 'watch_list' }
  | { readonly type: 'ping' }

export interface Following {
  readonly type: 'following'
  readonly stream: string
  /** null as long as the stream is queued. */
  readonly epoch: string | null
  readonly index: number
  readonly state: StreamState
}

/** The joined text of the chunks [start, stop). */
export interface Chunks {
  readonly type: 'chunks'
  readonly stream: string
  readonly epoch: string
  readonly start: number
  readonly stop: number
  readonly text: string
  readonly reasoning: string
  /** What the text waits for; empty: for nothing more; null: nothing is said of it. */
  readonly note: string | null
}

export interface EndFrame {
  readonly type: 'end'
  readonly stream: string
  readonly epoch: string
  readonly start: number
  readonly stop: number
  readonly outcome: Outcome
  readonly reason: string | null
  readonly usage: Usage | null
}

/** The stream is queued, and so many others come before it. */
export interface Queue {
  readonly type: 'queue'
  readonly stream: string
  /** null: it is not known how many. */
  readonly ahead: number | null
  /** Nobody is there who could begin it. An older server does not say: then somebody is. */
  readonly away: boolean
}

export interface Gone {
  readonly type: 'gone'
  readonly stream: string
  readonly problem: Problem
}

/** Who said something. The tag is the same for all that one person says in a conversation. */
export interface Author {
  readonly name: string
  readonly tag: string
  readonly owner: boolean
}

/** What somebody said beside a conversation, or that it was removed. What has a larger change is newer. */
export interface Remark {
  readonly id: string
  readonly change: number
  readonly author: Author
  readonly content: string
  readonly created_at: string
  readonly removed: boolean
}

/** The frames that belong to one stream. */
export type StreamFrame = Following | Queue | Chunks | EndFrame | Gone

export type ServerFrame =
  | StreamFrame
  | { readonly type: 'hello'; readonly heartbeat: number }
  | { readonly type: 'news'; readonly conversation: string; readonly version: number }
  | { readonly type: 'remarks'; readonly conversation: string; readonly remarks: readonly Remark[] }
  | { readonly type: 'audience'; readonly conversation: string; readonly viewers: number }
  | { readonly type: 'list' }
  | { readonly type: 'heartbeat' }
  | { readonly type: 'pong' }
  | { readonly type: 'problem'; readonly stream: string | null; readonly problem: Problem }

/** The server sent what the protocol does not know. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const STATES: readonly StreamState[] = ['queued', 'running', 'ended']
const OUTCOMES: readonly Outcome[] = ['finished', 'failed', 'cancelled', 'interrupted']

export function parseFrame(data: unknown): ServerFrame {
  const fields = new Fields(parseObject(data), 'frame')
  const type = fields.text('type')
  switch (type) {
    case 'hello':
      return { type, heartbeat: fields.positive('heartbeat') }
    case 'following':
      return parseFollowing(fields)
    case 'chunks':
      return {
        type,
        ...parseRange(fields),
        text: fields.textOr('text', ''),
        reasoning: fields.textOr('reasoning', ''),
        note: fields.textOr('note', null),
      }
    case 'queue':
      return {
        type,
        stream: fields.text('stream'),
        ahead: fields.countOr('ahead', null),
        away: fields.flagOr('away', false),
      }
    case 'end':
      return parseEnd(fields)
    case 'gone':
      return { type, stream: fields.text('stream'), problem: parseProblem(fields) }
    case 'news':
      return { type, conversation: fields.text('conversation'), version: fields.count('version') }
    case 'remarks':
      return { type, conversation: fields.text('conversation'), remarks: fields.objects('remarks').map(parseRemark) }
    case 'audience':
      return { type, conversation: fields.text('conversation'), viewers: fields.count('viewers') }
    case 'problem':
      return { type, stream: fields.textOr('stream', null), problem: parseProblem(fields) }
    case 'list':
    case 'heartbeat':
    case 'pong':
      return { type }
    default:
      throw new FrameError(`unknown frame type ${JSON.stringify(type)}`)
  }
}

function parseFollowing(fields: Fields): Following {
  const state = fields.oneOf('state', STATES)
  const epoch = fields.textOr('epoch', null)
  if (epoch === null && state !== 'queued') throw new FrameError(`following: a ${state} stream has an epoch`)
  return { type: 'following', stream: fields.text('stream'), epoch, index: fields.count('index'), state }
}

function parseEnd(fields: Fields): EndFrame {
  const range = parseRange(fields)
  if (range.stop !== range.start + 1) throw new FrameError(`end: [${range.start}, ${range.stop}) is not one entry`)
  return {
    type: 'end',
    ...range,
    outcome: fields.oneOf('outcome', OUTCOMES),
    reason: fields.textOr('reason', null),
    usage: fields.objectOr('usage') as Usage | null,
  }
}

function parseRange(fields: Fields): { stream: string; epoch: string; start: number; stop: number } {
  const start = fields.count('start')
  const stop = fields.count('stop')
  if (stop <= start) throw new FrameError(`[${start}, ${stop}) is no range`)
  return { stream: fields.text('stream'), epoch: fields.text('epoch'), start, stop }
}

function parseRemark(values: Record<string, unknown>): Remark {
  const fields = new Fields(values, 'remark')
  const author = new Fields(fields.objectOr('author') ?? {}, 'author')
  return {
    id: fields.text('id'),
    change: fields.count('change'),
    author: { name: author.text('name'), tag: author.text('tag'), owner: author.flag('owner') },
    content: fields.text('content'),
    created_at: fields.text('created_at'),
    removed: fields.flag('removed'),
  }
}

function parseProblem(fields: Fields): Problem {
  const problem = new Fields(fields.objectOr('problem') ?? {}, 'problem')
  return { status: problem.count('status'), title: problem.textOr('title', ''), detail: problem.textOr('detail', null) }
}

function parseObject(data: unknown): Record<string, unknown> {
  if (typeof data !== 'string') throw new FrameError('a frame is text, not binary')
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw new FrameError(`not JSON: ${data.slice(0, 80)}`)
  }
  if (!isObject(value)) throw new FrameError(`a frame is a JSON object: ${data.slice(0, 80)}`)
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads the fields of one object; each reader says which field was not what. */
class Fields {
  readonly #values: Record<string, unknown>
  readonly #where: string

  constructor(values: Record<string, unknown>, where: string) {
    this.#values = values
    this.#where = typeof values['type'] === 'string' ? values['type'] : where
  }

  text(name: string): string {
    const value = this.#values[name]
    return typeof value === 'string' ? value : this.#refuse(name, 'a string')
  }

  textOr<T>(name: string, otherwise: T): string | T {
    const value = this.#values[name] ?? otherwise
    return value === otherwise || typeof value === 'string' ? (value as string | T) : this.#refuse(name, 'a string')
  }

  /** A whole number from 0. */
  count(name: string): number {
    const value = this.#values[name]
    return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : this.#refuse(name, 'a count')
  }

  countOr<T>(name: string, otherwise: T): number | T {
    return (this.#values[name] ?? otherwise) === otherwise ? otherwise : this.count(name)
  }

  positive(name: string): number {
    const value = this.#values[name]
    return typeof value === 'number' && value > 0 ? value : this.#refuse(name, 'a number above 0')
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const value = this.#values[name]
    return values.find((candidate) => candidate === value) ?? this.#refuse(name, `one of ${values.join(', ')}`)
  }

  flag(name: string): boolean {
    const value = this.#values[name]
    return typeof value === 'boolean' ? value : this.#refuse(name, 'true or false')
  }

  flagOr<T>(name: string, otherwise: T): boolean | T {
    return (this.#values[name] ?? otherwise) === otherwise ? otherwise : this.flag(name)
  }

  objects(name: string): Record<string, unknown>[] {
    const value = this.#values[name]
    return Array.isArray(value) && value.every(isObject) ? value : this.#refuse(name, 'a list of objects')
  }

  objectOr(name: string): Record<string, unknown> | null {
    const value = this.#values[name] ?? null
    return value === null || isObject(value) ? value : this.#refuse(name, 'an object')
  }

  #refuse(name: string, wanted: string): never {
    throw new FrameError(`${this.#where}: ${name} must be ${wanted}, not ${JSON.stringify(this.#values[name])}`)
  }
}
