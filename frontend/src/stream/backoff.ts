/** How long to wait before the next attempt to connect. */

import type { Close } from './environment'

const FIRST = 500 // ms
const LONGEST = 30_000 // ms; somebody who waits looks that often
const RESTART_SPREAD = 2_000 // ms; PROTOCOL.md: a server that restarts is back soon, and everybody comes at once

const SERVER_RESTARTS = 1012
const TOO_MUCH = 4429
const MOMENT = / in (\d{1,9}) ms\b/ // in the reason of that close

/** Milliseconds before attempt n, from 0. Full jitter, so that a thousand clients do not come back at once. */
export function backoff(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST, FIRST * 2 ** attempt)
}

/** Milliseconds before attempt n after a socket that closed so. A server that restarts knows best when, unless it raves. */
export function comeback(close: Close, attempt: number, random: () => number): number {
  switch (close.code) {
    case SERVER_RESTARTS: {
      const told = MOMENT.exec(close.reason)?.[1]
      return told === undefined ? random() * RESTART_SPREAD : Math.min(LONGEST, Number(told))
    }
    case TOO_MUCH:
      return LONGEST * (1 + random())
    default:
      return backoff(attempt, random)
  }
}
