import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/chat/api'
import { announcement, statusLine } from '../../src/chat/endings'
import { EMPTY, type StreamLog } from '../../src/stream/log'

const answer: Message = {
  id: 'm',
  parent_id: null,
  role: 'assistant',
  author: null,
  content: '',
  reasoning: '',
  status: 'queued',
  reason: null,
  stream: 'st',
  model: null,
  versions: ['m'],
}
const AWAY =
  'No answer can begin just now. This one waits, and begins by itself. Should it take too long, it says so here.'
const words = (log: Partial<StreamLog>) => statusLine(answer, { ...EMPTY, ...log }, false)?.words

describe('before the first word the page says what it waits for', () => {
  const cases: [string, Partial<StreamLog>, string][] = [
    ['nothing is known', {}, 'Waiting for its turn…'],
    ['queued', { phase: 'queued' }, 'Waiting for its turn…'],
    ['queued behind others', { phase: 'queued', ahead: 3 }, 'Waiting for its turn, 3 before it…'],
    ['next', { phase: 'queued', ahead: 0 }, 'Waiting for its turn, it is next…'],
    ['nobody is there', { phase: 'queued', ahead: 0, away: true }, AWAY],
    ['asked', { phase: 'running' }, 'Thinking…'],
    ['told to wait', { phase: 'running', note: 'The model is loading…' }, 'The model is loading…'],
    ['reasoning', { phase: 'running', reasoning: 'Hm.' }, 'Thinking…'],
    ['writing', { phase: 'running', text: 'Once' }, 'Writing…'],
  ]
  for (const [name, log, line] of cases) test(name, () => expect(words(log)).toBe(line))
})

test('a number that goes down is not read out every second', () => {
  const heard = (ahead: number) => announcement(answer, { ...EMPTY, phase: 'queued', ahead }, false)
  expect(heard(3)).toBe(heard(2))
})

test('that nobody is there is read out once, however the number changes, and so is that somebody is', () => {
  const heard = (ahead: number, away: boolean) =>
    announcement(answer, { ...EMPTY, phase: 'queued', ahead, away }, false)
  expect([heard(1, true), heard(0, true), heard(0, false)]).toEqual([AWAY, AWAY, 'Waiting for its turn…'])
})

test('an answer that waits for nobody can be stopped', () => {
  expect(statusLine(answer, { ...EMPTY, phase: 'queued', ahead: 0, away: true }, true)?.words).toBe('Stopping…')
})
