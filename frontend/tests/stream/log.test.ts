import { describe, expect, test } from 'vitest'
import type { Chunks, EndFrame, Following, StreamFrame } from '../../src/stream/frames'
import { EMPTY, isOver, MAX_HELD, type Phase, position, type StreamLog, step } from '../../src/stream/log'

const stream = 'st'
const following = (epoch: string | null, index = 0): Following => ({
  type: 'following',
  stream,
  epoch,
  index,
  state: epoch === null ? 'queued' : 'running',
})
const chunks = (start: number, stop: number, text: string, epoch = 'e'): Chunks => ({
  type: 'chunks',
  stream,
  epoch,
  start,
  stop,
  text,
  reasoning: '',
  note: null,
})
const note = (start: number, words: string): Chunks => ({ ...chunks(start, start + 1, ''), note: words })
const queue = (ahead: number | null, away = false): StreamFrame => ({ type: 'queue', stream, ahead, away })
const end = (start: number, epoch = 'e'): EndFrame => ({
  type: 'end',
  stream,
  epoch,
  start,
  stop: start + 1,
  outcome: 'finished',
  reason: null,
  usage: { total_tokens: 3 },
})
const gone: StreamFrame = { type: 'gone', stream, problem: { status: 410, title: 'expired', detail: null } }

function logAfter(...frames: StreamFrame[]): StreamLog {
  return frames.reduce((log, frame) => step(log, frame).log, EMPTY)
}

describe('waiting', () => {
  test('the last note counts, until it is taken back or there is text', () => {
    const noted = logAfter(following('e'), note(0, 'Busy.'), note(1, 'Loading.'))
    expect(noted).toMatchObject({ note: 'Loading.', text: '', next: 2 })
    expect(step(noted, note(2, '')).log.note).toBe('')
    expect(step(noted, chunks(2, 3, 'Once')).log).toMatchObject({ note: '', text: 'Once' })
    expect(step(noted, { ...chunks(2, 3, ''), reasoning: 'Hm.' }).log.note).toBe('')
    expect(step(noted, chunks(2, 3, '')).log, 'entries of a kind that is not known here').toMatchObject({
      note: 'Loading.',
      next: 3,
    })
  })

  test('a note is chunks like others: in order, once', () => {
    const gap = step(logAfter(following('e')), note(1, 'Loading.'))
    expect(gap).toMatchObject({ missing: true, log: { note: '' } })
    expect(step(gap.log, note(0, 'Busy.')).log).toMatchObject({ note: 'Loading.', next: 2 })
  })

  test('how many are ahead counts while the stream is queued', () => {
    const log = logAfter(following(null), queue(3), queue(2))
    expect(log.ahead).toBe(2)
    expect(step(log, queue(2)).log).toBe(log)
    expect(step(log, following('e')).log.ahead).toBeNull()
    const running = logAfter(following('e'))
    expect(step(running, queue(1))).toEqual({ log: running, missing: false })
  })
})

test('that nobody is there to begin it counts until somebody is, or it is begun', () => {
  const log = logAfter(following(null), queue(0, true))
  expect(log.away).toBe(true)
  expect(step(log, queue(0, true)).log).toBe(log)
  expect(step(log, queue(0)).log.away).toBe(false)
  expect(step(log, queue(null)).log).toMatchObject({ away: false, ahead: null })
  expect(step(log, following('e')).log.away).toBe(false)
})

describe('a stream that is begun again', () => {
  test('waits anew, with nothing of what was said before, and then has the text of its next worker only', () => {
    const first = logAfter(following(null), queue(2), following('e'), note(0, 'Loading.'))
    const waiting = step(first, following(null))
    expect(waiting).toEqual({ log: { ...EMPTY, phase: 'queued' }, missing: false })
    expect(position(waiting.log)).toBeUndefined()
    const frames = [
      queue(0),
      following('f'),
      { ...note(0, 'Another worker.'), epoch: 'f' },
      chunks(1, 2, 'Once', 'f'),
      end(2, 'f'),
    ]
    const log = frames.reduce((before, frame) => step(before, frame).log, waiting.log)
    expect(log).toMatchObject({ phase: 'ended', epoch: 'f', text: 'Once', note: '', ahead: null })
  })

  test('a chunk of its first worker that comes too late is not placed', () => {
    const waiting = logAfter(following('e'), note(0, 'Loading.'), following(null))
    expect(step(waiting, chunks(1, 2, 'Zombie'))).toEqual({ log: waiting, missing: true })
  })
})

describe('joining', () => {
  test('text follows text, and the position follows it', () => {
    const log = logAfter(following('e'), chunks(0, 2, 'ab'), chunks(2, 3, 'c'))
    expect(log.text).toBe('abc')
    expect(position(log)).toEqual({ epoch: 'e', index: 3 })
  })

  test('a frame that was seen before changes nothing, not even the object', () => {
    const log = logAfter(following('e'), chunks(0, 2, 'ab'))
    expect(step(log, chunks(0, 2, 'ab'))).toEqual({ log, missing: false })
    expect(step(log, chunks(1, 2, 'b')).log).toBe(log)
  })

  test('an end below what is held means that more is held than was kept: all of it is asked for again', () => {
    const log = logAfter(following('e'), chunks(0, 5, 'abcde'))
    const short = step(log, end(3))
    expect(short).toEqual({ log: { ...EMPTY, epoch: 'e', phase: 'running' }, missing: true })
    const again = [following('e', 0), chunks(0, 3, 'abc'), end(3)].reduce((l, f) => step(l, f).log, short.log)
    expect([again.text, again.phase]).toEqual(['abc', 'ended'])
  })

  test('a following below what is held changes nothing while the stream runs: its writer mends it', () => {
    const log = logAfter(following('e'), chunks(0, 5, 'abcde'))
    expect(step(log, following('e', 3))).toEqual({ log, missing: false })
  })

  test('a frame beyond a gap is held and says that something is missing', () => {
    const gap = step(logAfter(following('e'), chunks(0, 1, 'a')), chunks(2, 3, 'c'))
    expect(gap.log.text).toBe('a')
    expect(gap.missing).toBe(true)
    const filled = step(gap.log, chunks(1, 2, 'b'))
    expect(filled.log.text).toBe('abc')
    expect(filled.log.held).toEqual([])
    expect(filled.missing).toBe(false)
  })

  test('a frame that begins below and ends above what is needed cannot be cut: it is asked for', () => {
    const log = logAfter(following('e'), chunks(0, 2, 'ab'))
    expect(step(log, chunks(1, 3, 'bc'))).toEqual({ log, missing: true })
  })

  test('a held frame that was overtaken is dropped and what it held beyond is missing', () => {
    const log = logAfter(following('e'), chunks(2, 5, 'cde'))
    const overtaken = step(log, chunks(0, 3, 'abc'))
    expect(overtaken.log.text).toBe('abc')
    expect(overtaken.log.held).toEqual([])
    expect(overtaken.missing).toBe(true)
  })

  test('no more than a bounded number of frames is held, and the nearest are kept', () => {
    const far = Array.from({ length: MAX_HELD + 10 }, (_, at) => chunks(200 - at, 201 - at, 'x'))
    const { held } = logAfter(following('e'), ...far)
    expect(held).toHaveLength(MAX_HELD)
    expect(held[0]?.start).toBe(200 - MAX_HELD - 9)
  })

  test('the same frame is held once', () => {
    expect(logAfter(following('e'), chunks(5, 6, 'f'), chunks(5, 6, 'f')).held).toHaveLength(1)
  })
})

describe('epochs', () => {
  test('following another epoch clears the text', () => {
    const log = logAfter(following('e'), chunks(0, 2, 'ab'), following('f'))
    expect([log.text, log.next, log.epoch]).toEqual(['', 0, 'f'])
  })

  test('following the same epoch again keeps the text', () => {
    expect(logAfter(following('e'), chunks(0, 2, 'ab'), following('e', 2)).text).toBe('ab')
  })

  test('text of another epoch is not mixed in: only `following` changes the epoch', () => {
    const log = logAfter(following('e'), chunks(0, 2, 'ab'), following('f'))
    expect(step(log, chunks(0, 2, 'ab', 'e'))).toEqual({ log, missing: true })
    expect(step(log, end(0, 'e'))).toEqual({ log, missing: true })
  })

  test('a server that serves from beyond what is held leaves a gap', () => {
    expect(step(EMPTY, following('e', 3)).missing).toBe(true)
    expect(step(EMPTY, following('e', 0)).missing).toBe(false)
  })
})

describe('ending', () => {
  test('the end is taken in its turn, with outcome and usage', () => {
    const early = logAfter(following('e'), chunks(0, 1, 'a'), end(2))
    expect(early.phase).toBe('running')
    const log = step(early, chunks(1, 2, 'b')).log
    expect(log.phase).toBe('ended')
    expect(log.end).toEqual({ outcome: 'finished', reason: null, usage: { total_tokens: 3 } })
    expect(log.text).toBe('ab')
  })

  test('gone keeps the text that was there', () => {
    const log = logAfter(following('e'), chunks(0, 1, 'a'), gone)
    expect([log.phase, log.text, log.problem?.status]).toEqual(['gone', 'a', 410])
  })
})

describe('every phase takes every frame', () => {
  const logs: Record<Phase, StreamLog> = {
    unknown: EMPTY,
    queued: logAfter(following(null)),
    running: logAfter(following('e')),
    ended: logAfter(following('e'), end(0)),
    gone: logAfter(gone),
  }
  const frames = { queued: following(null), following: following('e'), chunks: chunks(0, 1, 'a'), end: end(0), gone }
  const next: Record<Phase, Record<keyof typeof frames, Phase>> = {
    unknown: { queued: 'queued', following: 'running', chunks: 'unknown', end: 'unknown', gone: 'gone' },
    queued: { queued: 'queued', following: 'running', chunks: 'queued', end: 'queued', gone: 'gone' },
    running: { queued: 'queued', following: 'running', chunks: 'running', end: 'ended', gone: 'gone' },
    ended: { queued: 'ended', following: 'ended', chunks: 'ended', end: 'ended', gone: 'ended' },
    gone: { queued: 'gone', following: 'gone', chunks: 'gone', end: 'gone', gone: 'gone' },
  }
  for (const phase of Object.keys(next) as Phase[]) {
    for (const frame of Object.keys(frames) as (keyof typeof frames)[]) {
      test(`${phase} + ${frame} = ${next[phase][frame]}`, () => {
        const { log } = step(logs[phase], frames[frame])
        expect(log.phase).toBe(next[phase][frame])
        if (isOver(logs[phase])) expect(log).toBe(logs[phase])
      })
    }
  }
})
