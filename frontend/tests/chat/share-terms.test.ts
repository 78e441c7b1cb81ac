// @vitest-environment happy-dom
import { describe, expect, test } from 'vitest'
import { inWords, termsOf } from '../../src/chat/share-dialog'

const NOW = Date.parse('2026-01-01T12:00:00Z')

function form(fields: Record<string, string>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(fields)) data.set(name, value)
  return data
}

describe('what a link is good for', () => {
  test('is what was chosen', () => {
    expect(termsOf(form({ may: 'watch', ends: '' }), NOW)).toEqual({
      may_ask: false,
      discussion: false,
      shows_prompt: false,
      indexed: false,
      expires_at: null,
    })
    const all = { may: 'ask', discussion: 'on', shows_prompt: 'on', indexed: 'on', ends: '3600000' }
    expect(termsOf(form(all), NOW)).toEqual({
      may_ask: true,
      discussion: true,
      shows_prompt: true,
      indexed: true,
      expires_at: '2026-01-01T13:00:00.000Z',
    })
  })

  test('ends on a date of this place', () => {
    const local = '2026-03-01T08:30'
    expect(termsOf(form({ may: 'watch', ends: 'date', date: local }), NOW).expires_at).toBe(
      new Date(local).toISOString(),
    )
  })

  test('is said in a line', () => {
    const share = { id: 's', may_ask: false, discussion: true, shows_prompt: false, indexed: false, expires_at: null }
    expect(inWords(share)).toBe('Watch')
    const ends = new Date(NOW).toISOString()
    expect(inWords({ ...share, may_ask: true, discussion: false, shows_prompt: true, expires_at: ends })).toBe(
      `Watch and ask · no discussion · shows the instructions · until ${new Date(NOW).toLocaleString()}`,
    )
  })
})
