/**
 * The text of one stream, joined from frames that may come twice, late, out of order or not at all.
 *
 * Rule: no I/O and no clock in this file. A log and a frame go in, the next log comes out, so that every race can be
 * written down as a list and tested. Logs are never changed, only replaced.
 *
 * The three rules of PROTOCOL.md, section 1, live in TRANSITIONS and `join`.
 */

import type { Chunks, EndFrame, Following, Gone, Outcome, Problem, Queue, StreamFrame, Usage } from './frames'
import type { Position } from './position'

/**
 * `unknown`: the server has not answered yet; what is held comes from storage, if from anywhere.
 * `queued`: no worker has begun. `running`: text comes. `ended`, `gone`: nothing more, ever.
 */
export type Phase = 'unknown' | 'queued' | 'running' | 'ended' | 'gone'

export interface End {
  readonly outcome: Outcome
  readonly reason: string | null
  readonly usage: Usage | null
}

export interface StreamLog {
  readonly phase: Phase
  readonly epoch: string | null
  /** The next index that is needed: `text` and `reasoning` are exactly the chunks [0, next). */
  readonly next: number
  readonly text: string
  readonly reasoning: string
  /** What the text waits for, in words; empty as soon as there is some. */
  readonly note: string
  /** How many come before it while it is queued; null: that is not known. */
  readonly ahead: number | null
  /** While it is queued: whether nobody is there who could begin it. */
  readonly away: boolean
  readonly end: End | null
  /** Why the stream cannot be served, where `phase` is `gone`. */
  readonly problem: Problem | null
  /** Frames beyond a gap, by `start`. */
  readonly held: readonly (Chunks | EndFrame)[]
}

/** `missing`: something before what has come is not there. Ask for it by following again from `position(log)`. */
export interface Step {
  readonly log: StreamLog
  readonly missing: boolean
}

/** Nothing needs more: a gap is asked for at once, and frames that are dropped here are sent again. */
export const MAX_HELD = 64

export const EMPTY: StreamLog = {
  phase: 'unknown',
  epoch: null,
  next: 0,
  text: '',
  reasoning: '',
  note: '',
  ahead: null,
  away: false,
  end: null,
  problem: null,
  held: [],
}

/** What to send to resume; undefined where there is nothing to resume from. */
export function position(log: StreamLog): Position | undefined {
  return log.epoch === null ? undefined : { epoch: log.epoch, index: log.next }
}

/** Whether nothing more can come. */
export function isOver(log: StreamLog): boolean {
  return log.phase === 'ended' || log.phase === 'gone'
}

/** Take one frame of this stream. A frame that changes nothing returns the same log. */
export function step(log: StreamLog, frame: StreamFrame): Step {
  const transition = TRANSITIONS[log.phase][frame.type] as (log: StreamLog, frame: StreamFrame) => Step
  return transition(log, frame)
}

type Transitions = {
  readonly [P in Phase]: {
    readonly [F in StreamFrame['type']]: (log: StreamLog, frame: Extract<StreamFrame, { type: F }>) => Step
  }
}

// Only `following` names the epoch: text that comes before it cannot be placed.
const TRANSITIONS: Transitions = {
  unknown: { following: begin, queue: ignore, chunks: unplaced, end: unplaced, gone: lose },
  queued: { following: begin, queue: wait, chunks: unplaced, end: unplaced, gone: lose },
  running: { following: begin, queue: ignore, chunks: join, end: join, gone: lose },
  ended: { following: ignore, queue: ignore, chunks: ignore, end: ignore, gone: ignore },
  gone: { following: ignore, queue: ignore, chunks: ignore, end: ignore, gone: ignore },
}

function begin(log: StreamLog, frame: Following): Step {
  const kept = frame.epoch !== null && frame.epoch === log.epoch ? log : { ...EMPTY, epoch: frame.epoch }
  const phase = frame.epoch === null ? 'queued' : 'running'
  return { log: { ...kept, phase }, missing: frame.index > kept.next }
}

function wait(log: StreamLog, frame: Queue): Step {
  const { ahead, away } = frame
  return { log: ahead === log.ahead && away === log.away ? log : { ...log, ahead, away }, missing: false }
}

/** More is held than there is, which storage that somebody else wrote could make one believe. */
function startOver(log: StreamLog): Step {
  return { log: { ...EMPTY, epoch: log.epoch, phase: 'running' }, missing: true }
}

function join(log: StreamLog, frame: Chunks | EndFrame): Step {
  if (frame.epoch !== log.epoch) return unplaced(log)
  if (frame.stop <= log.next) return frame.type === 'end' ? startOver(log) : ignore(log)
  // It begins below and ends above what is needed. Text cannot be cut at a chunk: only the server can.
  if (frame.start < log.next) return unplaced(log)
  if (frame.start > log.next) return { log: hold(log, frame), missing: true }
  return release(append(log, frame))
}

function append(log: StreamLog, frame: Chunks | EndFrame): StreamLog {
  if (frame.type === 'chunks') {
    return {
      ...log,
      next: frame.stop,
      text: log.text + frame.text,
      reasoning: log.reasoning + frame.reasoning,
      note: frame.note ?? (frame.text || frame.reasoning ? '' : log.note),
    }
  }
  const { outcome, reason, usage } = frame
  return { ...log, phase: 'ended', next: frame.stop, note: '', end: { outcome, reason, usage }, held: [] }
}

/** Append what was held and is now next in line; drop what has been overtaken. */
function release(log: StreamLog): Step {
  let released = log
  let overtaken = false
  for (const frame of log.held) {
    if (frame.stop <= released.next) continue
    if (frame.start > released.next) break
    if (frame.start < released.next) overtaken = true
    else released = append(released, frame)
  }
  if (released.phase === 'ended') return { log: released, missing: false }
  const held = released.held.filter((frame) => frame.start >= released.next)
  return { log: { ...released, held }, missing: overtaken || held.length > 0 }
}

function hold(log: StreamLog, frame: Chunks | EndFrame): StreamLog {
  if (log.held.some((other) => other.start === frame.start && other.stop >= frame.stop)) return log
  const held = [...log.held, frame].sort((a, b) => a.start - b.start || a.stop - b.stop)
  return { ...log, held: held.slice(0, MAX_HELD) }
}

function lose(log: StreamLog, frame: Gone): Step {
  return { log: { ...log, phase: 'gone', problem: frame.problem, held: [] }, missing: false }
}

function ignore(log: StreamLog): Step {
  return { log, missing: false }
}

function unplaced(log: StreamLog): Step {
  return { log, missing: true }
}
