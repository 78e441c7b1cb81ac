import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff, comeback } from '../../src/stream/backoff'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('the longest wait doubles from half a second to half a minute', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 7, 1000].map((attempt) => backoff(attempt, () => 1))
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
})

test('jitter is full: any moment from now to the longest wait', () => {
  fc.assert(
    fc.property(fc.nat(50), chance, (attempt, random) => {
      expect(backoff(attempt, () => random)).toBeCloseTo(random * backoff(attempt, () => 1))
    }),
  )
})

test('a server that restarts says when to come back, and is believed for half a minute', () => {
  const wait = (reason: string) => comeback({ code: 1012, reason }, 3, () => 0.5)
  expect(wait('The server restarts. Come back in 1400 ms.')).toBe(1400)
  expect(wait('The server restarts. Come back in 0 ms.')).toBe(0)
  expect(wait('The server restarts. Come back in 999999999 ms.')).toBe(30_000)
})

test('whoever else says so is not heard', () => {
  const close = { code: 1013, reason: 'Come back in 1 ms.' }
  expect(comeback(close, 3, () => 0.5)).toBe(backoff(3, () => 0.5))
})

test('a server that restarts and does not say when is tried again within two seconds, however often it was tried', () => {
  fc.assert(
    fc.property(fc.nat(50), chance, (attempt, random) => {
      expect(comeback({ code: 1012, reason: 'Something else.' }, attempt, () => random)).toBe(random * 2000)
    }),
  )
})

test('a server that had too much is left alone for half a minute, however often it was tried', () => {
  fc.assert(
    fc.property(fc.nat(50), chance, (attempt, random) => {
      expect(comeback({ code: 4429, reason: '' }, attempt, () => random)).toBe(30_000 * (1 + random))
    }),
  )
})
