/**
 * Listens for the moments at which a connection may have died without a word: the page comes back to the front, or
 * out of the back-forward cache, or the network returns. Then one looks at once instead of waiting for a timer.
 */

import type { Cancel, Environment } from './environment'

export interface MonitorEvents {
  /** See whether the connection still lives; if there is none, connect now. */
  check(): void
  /** The browser says that the network came or went. */
  network(): void
}

/** Listen until the returned function is called. */
export function monitor(environment: Environment, events: MonitorEvents): Cancel {
  const networkChanged = () => {
    events.network()
    events.check()
  }
  const cancels = [
    environment.on('visibilitychange', () => {
      if (environment.visible()) events.check()
    }),
    environment.on('pageshow', () => events.check()),
    environment.on('online', networkChanged),
    environment.on('offline', networkChanged),
  ]
  return () => {
    for (const cancel of cancels) cancel()
  }
}
