/** How long to wait before the next attempt to connect. */

const FIRST = 500 // ms
const LONGEST = 30_000 // ms; somebody who waits looks that often
const RESTART_SPREAD = 2_000 // ms; PROTOCOL.md: a server that restarts is back soon, and everybody comes at once

const SERVER_RESTARTS = 1012
const TOO_MUCH = 4429

/** Milliseconds before attempt n, from 0. Full jitter, so that a thousand clients do not come back at once. */
export function backoff(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST, FIRST * 2 ** attempt)
}

/** Milliseconds before attempt n after a socket that closed with `code`. */
export function comeback(code: number, attempt: number, random: () => number): number {
  if (code === SERVER_RESTARTS) return random() * RESTART_SPREAD
  if (code === TOO_MUCH) return LONGEST * (1 + random())
  return backoff(attempt, random)
}
