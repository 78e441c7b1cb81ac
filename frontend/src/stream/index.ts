/** The resumable stream client. It knows no framework; README.md says how to use it. */

export { backoff } from './backoff'
export { type Beside, type Link, type NewsListener, StreamClient } from './client'
export { browserEnvironment, type Cancel, type Environment } from './environment'
export type { LogListener } from './followed'
export type { Author, Outcome, Problem, Remark, StreamState, Usage } from './frames'
export { type End, isOver, type Phase, type StreamLog } from './log'
