/**
 * Splits Markdown into blocks while it grows. Only the end is read again: the blocks before it are finished and stay
 * the same objects, so that what shows them need not draw them again.
 */

import { Marked, type Token } from 'marked'
import { mathBlock, mathSpan } from './math-syntax'

const markdown = new Marked({ extensions: [mathBlock, mathSpan] })

/**
 * What no person writes, but a model that has got into a loop does, and what costs seconds or the stack to read:
 * marks of lists and quotes in a row, and emphasis without end. (Each step of it begins with one mark: with several, a
 * line of fifty stars would have more readings than there is time.)
 */
const RUNAWAY = /(?:(?:^|\n)[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+){40})|(?:[*_~][^*_~\n]{0,9}){400}/

/** A block can still change as long as it is among the last two: a paragraph may become a table, a list may go on. */
const OPEN_BLOCKS = 2

export class Blocks {
  #text = ''
  #tokens: readonly Token[] = []

  /** The blocks of `text`. `whole`: it will not grow any more, and so every reference to a link is known. */
  of(text: string, whole: boolean): readonly Token[] {
    const normal = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
    if (whole || !normal.startsWith(this.#text)) this.#tokens = lex(normal)
    else if (normal.length > this.#text.length) this.#tokens = this.#grown(normal)
    this.#text = normal
    return this.#tokens
  }

  #grown(text: string): readonly Token[] {
    const finished = this.#finished()
    const length = finished.reduce((sum, token) => sum + token.raw.length, 0)
    return [...finished, ...lex(text.slice(length))]
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

/** As Markdown; what cannot be read as that, as the text it is. */
function lex(text: string): Token[] {
  const runaway = text.search(RUNAWAY)
  if (runaway >= 0) return [...lex(text.slice(0, runaway)), plain(text.slice(runaway))]
  try {
    return markdown.lexer(text)
  } catch (error) {
    if (error instanceof RangeError) return [plain(text)] // it nests deeper than the stack
    throw error
  }
}

function plain(text: string): Token {
  return { type: 'paragraph', raw: text, text, tokens: [{ type: 'escape', raw: text, text }] }
}
