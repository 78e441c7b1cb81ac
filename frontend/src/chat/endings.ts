/** In words: what an answer is doing, and how it ended. */

import type { StreamLog } from '../stream'
import type { Message } from './api'
import { shown } from './state'

export interface Line {
  /** `busy`: more will come. `bad`: the person will want to know why. */
  readonly tone: 'busy' | 'quiet' | 'bad'
  readonly words: string
}

/** Whether an answer stopped before it was whole: then one may want to go on with it, or to have it anew. */
export function isCutOff(message: Message): boolean {
  const cut = message.status === 'finished' && message.reason !== null // at the model's limit
  return cut || message.status === 'failed' || message.status === 'cancelled' || message.status === 'interrupted'
}

/** The line under an answer; null where the text speaks for itself. */
export function statusLine(message: Message, log: StreamLog | null, stopping: boolean): Line | null {
  if (message.role === 'user') return null
  if (!log) return settled(message.status, message.reason)
  if (log.phase === 'gone')
    return { tone: 'bad', words: 'This answer can no longer be followed. Its saved text is shown.' }
  if (log.end) return settled(log.end.outcome, log.end.reason)
  if (stopping) return { tone: 'busy', words: 'Stopping…' }
  const begun = log.phase === 'running' || log.text !== ''
  if (!begun) return log.phase === 'queued' ? queued(log.ahead, log.away) : settled(message.status, null)
  if (shown(message, log).text !== '') return { tone: 'busy', words: 'Writing…' }
  return { tone: 'busy', words: log.note || 'Thinking…' }
}

const AWAY =
  'No answer can begin just now. This one waits, and begins by itself. Should it take too long, it says so here.'

function queued(ahead: number | null, away: boolean): Line {
  if (away) return { tone: 'busy', words: AWAY }
  const before = ahead === null ? '' : ahead === 0 ? ', it is next' : `, ${ahead} before it`
  return { tone: 'busy', words: `Waiting for its turn${before}…` }
}

function settled(status: Message['status'], reason: string | null): Line | null {
  switch (status) {
    case 'queued':
      return queued(null, false)
    case 'running':
      return { tone: 'busy', words: 'Thinking…' }
    case 'failed':
      return { tone: 'bad', words: `This answer failed. ${reason ?? 'The model gave no reason.'}` }
    case 'cancelled':
      return { tone: 'quiet', words: reason ?? 'You stopped this answer.' }
    case 'interrupted':
      return { tone: 'bad', words: `This answer was interrupted. ${reason ?? 'What had arrived is kept.'}` }
    case 'finished':
      return reason ? { tone: 'quiet', words: reason } : null
    case 'complete':
      return null
  }
}

/**
 * What a screen reader says when the line changes; the text itself is never read out while it grows, nor a number that
 * changes every second.
 */
export function announcement(message: Message | undefined, log: StreamLog | null, stopping: boolean): string {
  if (!message || message.role === 'user') return ''
  const line = log?.phase === 'queued' && !stopping ? queued(null, log.away) : statusLine(message, log, stopping)
  return line?.words ?? 'The answer is complete.'
}
