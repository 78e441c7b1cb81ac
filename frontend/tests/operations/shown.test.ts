import { describe, expect, it } from 'vitest'
import type { History } from '../../src/operations/api'
import { added } from '../../src/operations/desk'
import { bound, count, duration, plural, rate, share, short, size } from '../../src/operations/format'
import { roundUp, runs } from '../../src/operations/plot'
import { endings, placesOf, within } from '../../src/operations/plots'
import { order } from '../../src/operations/table'

describe('numbers', () => {
  it.each([
    [0, '0 ms'],
    [0.04, '40 ms'],
    [3.42, '3.4 s'],
    [9.96, '10 s'],
    [99, '99 s'],
    [150, '3 min'],
    [7200, '2 h'],
    [200_000, '2 d'],
    [-3, '−3.0 s'],
    [null, '–'],
  ])('%s seconds are %s', (seconds, words) => expect(duration(seconds)).toBe(words))

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [2100, '2.1 KB'],
    [134_000_000, '134 MB'],
    [null, '–'],
  ])('%s bytes are %s', (bytes, words) => expect(size(bytes)).toBe(words))

  it('are short, and exact where they are small', () => {
    expect(count(12345.6)).toBe('12,346')
    expect([rate(0), rate(0.25), rate(9.9), rate(41.7), rate(null)]).toEqual(['0', '0.3', '9.9', '42', '–'])
    expect([bound(0.025), bound(2.5), bound(300)]).toEqual(['25 ms', '2.5 s', '5 min'])
    expect([share(1, 0), share(1, 16), share(3, 4)]).toEqual(['–', '6.3 %', '75 %'])
    expect([plural(1, 'answer'), plural(2, 'answer'), plural(2, 'process', 'processes')]).toEqual([
      '1 answer',
      '2 answers',
      '2 processes',
    ])
    expect([short('st_c457e0b14f1dd3e3'), short('short')]).toEqual(['st_c457e0b1…', 'short'])
  })
})

describe('a plot', () => {
  it.each([
    [0, 2],
    [2, 2],
    [3, 4],
    [7, 8],
    [9, 10],
    [11, 20],
    [61, 80],
    [999, 1000],
  ])('whose highest value is %s ends at %s', (value, end) => expect(roundUp(value)).toBe(end))

  it('is broken where nobody took note', () => {
    expect(runs([null, 1, 2, null, null, 3])).toEqual([
      [
        [1, 1],
        [2, 2],
      ],
      [[5, 3]],
    ])
    expect(runs([null, null])).toEqual([])
  })

  it('says in words what it shows', () => {
    const ended = { finished: [3, 4], failed: [1, 0], cancelled: [0, 0], interrupted: [0, 0] }
    const history = { ended, begins: '2026-01-01T10:00:00Z', step: 60, viewers: [1, 2] } as unknown as History
    expect(endings(history, 'hour')).toBe('8 answers in the last hour: 7 finished (88 %), 1 failed (13 %).')
    const none = { ...history, ended: { ...ended, finished: [0, 0], failed: [0, 0] } }
    expect(endings(none, 'day')).toBe('No answer has ended in the last day.')
    expect(new Set(placesOf(history)).size).toBe(2)
  })

  it('says within which time most were', () => {
    const bounds = [0.01, 1, 10]
    expect(within(bounds, [5, 4, 0, 1], 0.5)).toBe('10 ms')
    expect(within(bounds, [5, 4, 0, 1], 0.9)).toBe('1 s')
    expect(within(bounds, [5, 4, 0, 1], 0.95)).toBe('more than 10 s')
  })
})

describe('a table', () => {
  it('has those without a value last, whichever way it is sorted', () => {
    const rows = [{ value: null }, { value: 2 }, { value: 10 }, { value: 1 }]
    const sorted = (descending: boolean) =>
      [...rows].sort(order((row) => row.value, descending)).map((row) => row.value)
    expect(sorted(false)).toEqual([1, 2, 10, null])
    expect(sorted(true)).toEqual([10, 2, 1, null])
  })
})

describe('what is read', () => {
  const found = { position: 'a:1', start: 0, text: 'Once', reasoning: 'Hm.', note: null, ended: false }

  it('grows, and begins anew where the text is another one', () => {
    const first = added({ text: '', reasoning: '', note: 'waits', ended: false }, found)
    const second = added(first, { ...found, start: 1, text: ' upon', reasoning: '', ended: true })
    expect(second).toEqual({ text: 'Once upon', reasoning: 'Hm.', note: null, ended: true })
    expect(added(second, found).text).toBe('Once')
  })
})
