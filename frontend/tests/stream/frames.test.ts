import { describe, expect, test } from 'vitest'
import { FrameError, parseFrame } from '../../src/stream/frames'

const parse = (frame: unknown) => parseFrame(JSON.stringify(frame))
const end = {
  type: 'end',
  stream: 's',
  epoch: 'e',
  start: 41,
  stop: 42,
  outcome: 'finished',
  reason: null,
  usage: null,
}

describe('the worked example of PROTOCOL.md', () => {
  const frames = [
    { type: 'hello', heartbeat: 20 },
    { type: 'following', stream: 's', epoch: 'e', index: 2, state: 'running' },
    { type: 'following', stream: 's', epoch: null, index: 0, state: 'queued' },
    { ...end, usage: { prompt_tokens: 12, completion_tokens: 40, total_tokens: 52 } },
    { type: 'gone', stream: 's', problem: { status: 410, title: 'expired', detail: null } },
    { type: 'queue', stream: 's', ahead: 0, away: true },
    { type: 'queue', stream: 's', ahead: null, away: true },
    { type: 'news', conversation: 'c', version: 3 },
    { type: 'audience', conversation: 'c', viewers: 0 },
    {
      type: 'remarks',
      conversation: 'c',
      remarks: [
        {
          id: 'r',
          change: 1,
          author: { name: '', tag: 't', owner: true },
          content: 'Hm',
          created_at: '2026-01-01T00:00:00Z',
          removed: false,
        },
      ],
    },
    { type: 'heartbeat' },
    { type: 'pong' },
    { type: 'problem', stream: 's', problem: { status: 429, title: 'no', detail: 'too many' } },
    { type: 'problem', stream: null, problem: { status: 404, title: 'no', detail: 'unknown' } },
  ]
  for (const frame of frames) test(JSON.stringify(frame), () => expect(parse(frame)).toEqual(frame))

  test('chunks without reasoning, or without text, have an empty one', () => {
    const chunks = { type: 'chunks', stream: 's', epoch: 'e', start: 40, stop: 41 }
    expect(parse({ ...chunks, text: ' a' })).toEqual({ ...chunks, text: ' a', reasoning: '', note: null })
    expect(parse({ ...chunks, reasoning: 'hm' })).toEqual({ ...chunks, text: '', reasoning: 'hm', note: null })
    expect(parse({ ...chunks, note: '' })).toEqual({ ...chunks, text: '', reasoning: '', note: '' })
  })

  test('a queue whose server is too old to say that nobody is there has somebody', () => {
    const queue = { type: 'queue', stream: 's', ahead: 3 }
    expect(parse(queue)).toEqual({ ...queue, away: false })
  })
})

describe('what is not as the page says names what was wrong', () => {
  const wrong: [unknown, RegExp][] = [
    [{}, /frame: type must be a string, not undefined/],
    [{ type: 'remarks', conversation: 'c', remarks: {} }, /remarks: remarks must be a list of objects/],
    [{ type: 'remarks', conversation: 'c', remarks: [{ id: 'r' }] }, /remark: change must be a count/],
    [{ type: 'audience', conversation: 'c', viewers: -1 }, /audience: viewers must be a count/],
    [{ type: 'queue', stream: 's', ahead: 'few' }, /queue: ahead must be a count/],
    [{ type: 'queue', stream: 's', ahead: 0, away: 'yes' }, /queue: away must be true or false/],
    [{ type: 'song' }, /unknown frame type "song"/],
    [{ type: 'hello', heartbeat: 0 }, /hello: heartbeat must be a number above 0/],
    [{ ...end, epoch: 7 }, /end: epoch must be a string, not 7/],
    [{ ...end, start: -1 }, /end: start must be a count/],
    [{ ...end, stop: 41 }, /\[41, 41\) is no range/],
    [{ ...end, stop: 43 }, /is not one entry/],
    [{ ...end, outcome: 'exploded' }, /one of finished, failed, cancelled, interrupted/],
    [{ ...end, usage: 'much' }, /usage must be an object/],
    [{ type: 'following', stream: 's', epoch: null, index: 0, state: 'running' }, /a running stream has an epoch/],
    [{ type: 'news', conversation: 'c', version: 1.5 }, /version must be a count/],
    [[], /a frame is a JSON object/],
    [null, /a frame is a JSON object/],
  ]
  for (const [frame, message] of wrong) {
    test(JSON.stringify(frame), () => {
      expect(() => parse(frame)).toThrow(FrameError)
      expect(() => parse(frame)).toThrow(message)
    })
  }

  test('what is not JSON, or not text', () => {
    expect(() => parseFrame('{"type":')).toThrow(/not JSON/)
    expect(() => parseFrame(new ArrayBuffer(2))).toThrow(/not binary/)
  })
})
