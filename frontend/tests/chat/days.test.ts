import { describe, expect, test } from 'vitest'
import type { Summary } from '../../src/chat/api'
import { byDay, timeOf } from '../../src/chat/days'

const NOW = new Date(2026, 10, 24, 0, 30) // half an hour into a day

function at(...moments: Date[]): Summary[] {
  return moments.map((moment, place) => ({
    id: `c${place}`,
    title: '',
    version: 1,
    generating: null,
    updated_at: moment.toISOString(),
  }))
}

function named(...moments: Date[]): [string, string[]][] {
  return byDay(at(...moments), NOW).map((day) => [day.name, day.items.map((item) => item.id)])
}

describe('conversations by day', () => {
  test('stand under the day of the calendar, however few hours ago it was', () => {
    expect(named(new Date(2026, 10, 24, 0, 29), new Date(2026, 10, 23, 23, 59), new Date(2026, 10, 23, 0, 0))).toEqual([
      ['Today', ['c0']],
      ['Yesterday', ['c1', 'c2']],
    ])
  })

  test('then under a week, months of this year, and months of others', () => {
    const moments = [
      new Date(2026, 10, 22),
      new Date(2026, 10, 17),
      new Date(2026, 10, 16),
      new Date(2026, 2, 29),
      new Date(2025, 2, 30),
    ]
    expect(named(...moments)).toEqual([
      ['Last 7 days', ['c0', 'c1']],
      ['November', ['c2']],
      ['March', ['c3']],
      ['March 2025', ['c4']],
    ])
  })

  test('a clock that is behind the server makes nothing of tomorrow', () => {
    expect(named(new Date(2026, 10, 25))).toEqual([['Today', ['c0']]])
  })

  test('nothing is nothing', () => {
    expect(byDay([], NOW)).toEqual([])
  })
})

describe('when something was said', () => {
  const time = { hour: '2-digit', minute: '2-digit' } as const

  test('today is a time, for the day is known', () => {
    const morning = new Date(2026, 10, 24, 0, 5)
    expect(timeOf(morning, NOW)).toBe(morning.toLocaleTimeString([], time))
  })

  test('before is a day too, and in another year a year', () => {
    const last = new Date(2026, 10, 23, 23, 59)
    expect(timeOf(last, NOW)).toBe(last.toLocaleString([], { day: 'numeric', month: 'short', ...time }))
    expect(timeOf(last, NOW)).toContain('23')
    expect(timeOf(new Date(2025, 10, 24, 9), NOW)).toContain('2025')
    expect(timeOf(last, NOW)).not.toContain('2026')
  })
})
