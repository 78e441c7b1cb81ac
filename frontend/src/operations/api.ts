/** What the server tells the administrator: `/api/admin/…`, as webapp/operations/schemas.py describes it. */

export type Outcome = 'finished' | 'failed' | 'cancelled' | 'interrupted'
export const OUTCOMES: readonly Outcome[] = ['finished', 'cancelled', 'interrupted', 'failed']

export interface StreamSeen {
  readonly stream: string
  readonly conversation: string | null
  readonly model: string | null
  readonly state: 'queued' | 'taken' | 'running' | 'ended' | 'missing'
  readonly outcome: Outcome | null
  readonly reason: string | null
  readonly stopping: boolean
  readonly again: boolean
  readonly age: number | null
  readonly writing: number | null
  readonly grown: number | null
  readonly lease: number | null
  readonly chunks: number
  readonly bytes: number | null
  readonly characters: number | null
  readonly characters_per_second: number | null
  readonly deltas_per_second: number | null
  readonly viewers: number
  readonly worker: string | null
}

export interface ProcessSeen {
  readonly id: string
  readonly kind: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly since: string
  readonly heard: number
  readonly memory: number
  readonly viewers: number | null
  readonly connections: number | null
  readonly tails: number | null
  readonly subscriptions: number | null
  readonly running: number | null
  readonly limit: number | null
}

export interface Operations {
  readonly at: string
  readonly streams: {
    readonly total: number
    readonly shown: readonly StreamSeen[]
    readonly unreachable: number
  } | null
  readonly queue: { readonly name: string; readonly waiting: number; readonly oldest: number | null } | null
  readonly processes: readonly ProcessSeen[] | null
  readonly may_read: boolean
  readonly troubles: readonly string[]
}

export type Series = readonly (number | null)[]

export interface History {
  readonly begins: string
  readonly step: number
  readonly ended: Readonly<Record<Outcome, readonly number[]>>
  readonly deltas: Series
  readonly chunks: Series
  readonly viewers: Series
  readonly running: Series
  readonly limit: Series
  readonly waiting: Series
  readonly waits: {
    readonly bounds: readonly number[]
    readonly queue: readonly number[]
    readonly first_token: readonly number[]
  }
  readonly counted: Readonly<Record<string, number>>
  readonly counting_since: string
}

export interface Contents {
  readonly text: number
  readonly text_bytes: number
  readonly reasoning: number
  readonly reasoning_bytes: number
  readonly notes: number
}

export interface StreamOpened extends StreamSeen {
  readonly asked_at: string | null
  readonly ended_at: string | null
  readonly status: string | null
  readonly epoch: string | null
  readonly fence: number | null
  readonly usage: Readonly<Record<string, number>> | null
  readonly contents: Contents | null
  readonly watched: readonly { readonly process: string; readonly viewers: number }[]
}

export interface StreamText {
  readonly position: string | null
  readonly start: number
  readonly text: string
  readonly reasoning: string
  readonly note: string | null
  readonly ended: boolean
}

export type Span = 'hour' | 'day'

/** Raised with the server's own words. `status` is 0 where there was no answer. */
export class Refused extends Error {
  readonly status: number

  constructor(status: number, words: string) {
    super(words)
    this.status = status
  }
}

export interface Api {
  operations(streams: number, signal: AbortSignal): Promise<Operations>
  history(span: Span, signal: AbortSignal): Promise<History>
  stream(id: string, signal: AbortSignal): Promise<StreamOpened>
  text(id: string, position: string | null, signal: AbortSignal): Promise<StreamText>
  stop(id: string): Promise<{ readonly stopping: boolean }>
}

export function httpApi(): Api {
  const at = (id: string) => `/api/admin/streams/${encodeURIComponent(id)}`
  return {
    operations: (streams, signal) => ask(`/api/admin/operations?streams=${streams}`, { signal }),
    history: (span, signal) => ask(`/api/admin/history?span=${span}`, { signal }),
    stream: (id, signal) => ask(at(id), { signal }),
    text: (id, position, signal) =>
      ask(`${at(id)}/text${position ? `?position=${encodeURIComponent(position)}` : ''}`, { signal }),
    stop: (id) => ask(`${at(id)}/stop`, { method: 'POST' }),
  }
}

async function ask<T>(path: string, options: RequestInit): Promise<T> {
  let response: Response
  try {
    response = await fetch(path, options)
  } catch {
    throw new Refused(0, 'The server does not answer.')
  }
  if (response.ok) return (await response.json()) as T
  const problem = (await response.json().catch(() => null)) as { detail?: string } | null
  throw new Refused(response.status, problem?.detail ?? `The server answered ${response.status}.`)
}
