/** One value that views look at, and that says when it has changed. */

export class Store<S extends object> {
  readonly #listeners = new Set<() => void>()
  readonly #nextFrame: (run: () => void) => void
  #state: S
  #waiting = false

  /** `nextFrame` runs something before the browser draws next. */
  constructor(state: S, nextFrame: (run: () => void) => void) {
    this.#state = state
    this.#nextFrame = nextFrame
  }

  get state(): S {
    return this.#state
  }

  set(change: Partial<S>): void {
    this.#state = { ...this.#state, ...change }
    this.#tell()
  }

  /** As `set`, but views hear of it once per animation frame: for what changes faster than can be seen. */
  setForNextFrame(change: Partial<S>): void {
    this.#state = { ...this.#state, ...change }
    if (this.#waiting) return
    this.#waiting = true
    this.#nextFrame(() => {
      this.#waiting = false
      this.#tell()
    })
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
