/** What this browser keeps for longer than a tab lives: small preferences, which it may as well forget. */

import type { KeyValueStorage } from '../stream/environment'

export class Lasting {
  readonly #storage: KeyValueStorage | null

  constructor(storage: KeyValueStorage | null) {
    this.#storage = storage
  }

  get(key: string): string {
    return this.#storage?.getItem(`rejoinder:${key}`) ?? ''
  }

  /** What is empty is as what was never kept, and leaves nothing behind. */
  set(key: string, value: string): void {
    try {
      if (value === '') this.#storage?.removeItem(`rejoinder:${key}`)
      else this.#storage?.setItem(`rejoinder:${key}`, value)
    } catch {
      // A full storage: what was chosen holds until the page is left.
    }
  }

  /** Hear when another tab changes or clears this. */
  onChange(key: string, run: () => void): void {
    window.addEventListener('storage', (event) => {
      if (event.key === `rejoinder:${key}`) run()
    })
  }

  clear(): void {
    const storage = this.#storage
    const names = Array.from({ length: storage?.length ?? 0 }, (_, at) => storage?.key(at) ?? '')
    for (const name of names) if (name.startsWith('rejoinder:')) storage?.removeItem(name)
  }
}

export function localStorageOrNull(): KeyValueStorage | null {
  try {
    return window.localStorage
  } catch {
    return null // reading the property throws a SecurityError where storage is forbidden
  }
}
