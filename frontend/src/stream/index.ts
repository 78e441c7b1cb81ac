/** The resumable stream client. It knows no framework; README.md says how to use it. */

export { backoff } from './backoff'
export { type Link, type NewsListener, StreamClient } from './client'
export { browserEnvironment, type Cancel, type Environment } from './environment'
export type { LogListener } from './followed'
export type { Outcome, Problem, StreamState, Usage } from './frames'
export { type End, isOver, type Phase, type StreamLog } from './log'
