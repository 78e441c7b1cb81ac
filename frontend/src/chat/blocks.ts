/**
 * Splits Markdown into blocks while it grows. Only the end is read again: the blocks before it are finished and stay
 * the same objects, so that what shows them need not draw them again.
 */

import { marked, type Token } from 'marked'

/** A block can still change as long as it is among the last two: a paragraph may become a table, a list may go on. */
const OPEN_BLOCKS = 2

export class Blocks {
  #text = ''
  #tokens: readonly Token[] = []

  /** The blocks of `text`. `whole`: it will not grow any more, and so every reference to a link is known. */
  of(text: string, whole: boolean): readonly Token[] {
    const normal = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
    if (whole || !normal.startsWith(this.#text)) this.#tokens = marked.lexer(normal)
    else if (normal.length > this.#text.length) this.#tokens = this.#grown(normal)
    this.#text = normal
    return this.#tokens
  }

  #grown(text: string): readonly Token[] {
    const finished = this.#finished()
    const length = finished.reduce((sum, token) => sum + token.raw.length, 0)
    return [...finished, ...marked.lexer(text.slice(length))]
  }

  #finished(): readonly Token[] {
    let open = 0
    let at = this.#tokens.length
    while (at > 0 && open < OPEN_BLOCKS) {
      at -= 1
      if (this.#tokens[at]?.type !== 'space') open += 1
    }
    const finished = this.#tokens.slice(0, at)
    const length = finished.reduce((sum, token) => sum + token.raw.length, 0)
    const same = this.#text.startsWith(finished.map((token) => token.raw).join(''))
    return same && length > 0 ? finished : []
  }
}
