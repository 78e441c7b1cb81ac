/** All that the page shows. */

import type { History, Operations, Span, StreamOpened } from './api'

export type Contact =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly since: Date; readonly words: string }
  | { readonly kind: 'signed-out' }

/** A stream that was opened. */
export interface Opened {
  readonly id: string
  readonly detail: StreamOpened | null
  readonly problem: string | null
  /** Whether it is asked if the answer is to be stopped. */
  readonly asksToStop: boolean
  /** null: nobody reads it. */
  readonly reading: Reading | null
}

export interface Reading {
  readonly text: string
  readonly reasoning: string
  readonly note: string | null
  readonly ended: boolean
}

export interface State {
  readonly contact: Contact
  readonly now: Operations | null
  readonly span: Span
  readonly history: History | null
  /** How many streams are asked for. */
  readonly most: number
  readonly opened: Opened | null
}

export const FEW = 300
export const MANY = 1_000

export const INITIAL: State = {
  contact: { kind: 'connecting' },
  now: null,
  span: 'hour',
  history: null,
  most: FEW,
  opened: null,
}
