/**
 * Everything of the outside world that this folder touches, as one object. The page passes the browser's;
 * a test passes its own, with a clock that it turns by hand. No other file here names a global.
 */

/** Takes back what was begun: a timer, a listener. Calling it twice is harmless. */
export type Cancel = () => void

export type PageEvent = 'visibilitychange' | 'pageshow' | 'pagehide' | 'online' | 'offline'

/** What is wanted of a WebSocket, and no more. */
export interface Socket {
  send(data: string): void
  close(): void
}

/** How a socket ended. */
export interface Close {
  readonly code: number
  readonly reason: string
}

export interface SocketEvents {
  message(data: unknown): void
  closed(close: Close): void
}

/** What is wanted of sessionStorage. `setItem` throws when it is full. */
export interface KeyValueStorage {
  readonly length: number
  key(index: number): string | null
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
  clear(): void
}

export interface Environment {
  /** Open a WebSocket to `url`, which may be a path. */
  connect(url: string, events: SocketEvents): Socket
  /** Milliseconds; only differences mean anything. */
  now(): number
  after(milliseconds: number, run: () => void): Cancel
  /** Evenly spread in [0, 1). */
  random(): number
  /** null where the browser refuses one (blocked cookies, some private windows). */
  readonly storage: KeyValueStorage | null
  on(event: PageEvent, run: () => void): Cancel
  visible(): boolean
  /** false is a hint that there is no network. A server on this machine answers all the same. */
  online(): boolean
  /** Something is wrong that the user can do nothing about. */
  report(problem: string): void
}

export function browserEnvironment(): Environment {
  return {
    connect(url, events) {
      const address = new URL(url, location.href)
      address.protocol = address.protocol.replace('http', 'ws')
      const socket = new WebSocket(address)
      socket.addEventListener('message', (event) => events.message(event.data))
      socket.addEventListener('close', (event) => events.closed(event))
      return socket
    },
    now: () => performance.now(),
    after(milliseconds, run) {
      const timer = setTimeout(run, milliseconds)
      return () => clearTimeout(timer)
    },
    random: Math.random,
    storage: sessionStorageOrNull(),
    on(event, run) {
      const target = event === 'visibilitychange' ? document : window
      target.addEventListener(event, run)
      return () => target.removeEventListener(event, run)
    },
    visible: () => document.visibilityState === 'visible',
    online: () => navigator.onLine,
    report: (problem) => console.warn(problem),
  }
}

function sessionStorageOrNull(): KeyValueStorage | null {
  try {
    return window.sessionStorage
  } catch {
    return null // reading the property throws a SecurityError where storage is forbidden
  }
}
