/**
 * Keeps the newest words in sight while they grow, but only for somebody who is at the end already: who has scrolled
 * up to read is never pulled away.
 */

const NEAR = 100 // px from the end within which somebody who scrolls down has arrived there
const A_STEP = 4 // px; less is no scrolling, but a browser that rounds

export class ScrollKeeper {
  readonly #onAway: (away: boolean) => void
  #box: HTMLElement | null = null
  #stop = () => {}
  #away = false
  #top = 0

  constructor(onAway: (away: boolean) => void) {
    this.#onAway = onAway
  }

  /** A ref for the element that scrolls; its only child is what grows. */
  readonly attach = (box: HTMLElement | null): void => {
    this.#stop()
    this.#stop = () => {}
    this.#box = box
    this.#away = false
    this.#top = box?.scrollTop ?? 0
    const content = box?.firstElementChild
    if (!box || !content) return
    const sizes = new ResizeObserver(() => {
      if (box.scrollHeight <= box.clientHeight) this.#become(false) // all of it is in sight: a screen was turned
      if (!this.#away) this.#jump()
    })
    sizes.observe(content)
    sizes.observe(box)
    const scrolled = () => this.#look()
    box.addEventListener('scroll', scrolled, { passive: true })
    this.#stop = () => {
      sizes.disconnect()
      box.removeEventListener('scroll', scrolled)
    }
  }

  /** Go to the end and stay there. */
  readonly toLatest = (): void => {
    this.#away = false
    this.#onAway(false)
    this.#jump()
  }

  #look(): void {
    if (!this.#box) return
    const { scrollHeight, scrollTop, clientHeight } = this.#box
    const left = scrollHeight - scrollTop - clientHeight
    const moved = scrollTop - this.#top
    this.#top = scrollTop
    // Up, however little, is away; only down is back. (What grows or shrinks below moves nothing.)
    if (moved < 0 && left > A_STEP) this.#become(true)
    else if (moved > 0 && left <= NEAR) this.#become(false)
  }

  #become(away: boolean): void {
    if (away === this.#away) return
    this.#away = away
    this.#onAway(away)
  }

  #jump(): void {
    this.#box?.scrollTo({ top: this.#box.scrollHeight, behavior: 'instant' })
  }
}
