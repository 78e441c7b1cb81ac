/**
 * Splits Markdown into blocks while it grows. Only the end is read again: the blocks before it are finished and stay
 * the same objects, so that what shows them need not draw them again.
 */

import { Marked, type Token } from 'marked'
import { mathBlock, mathSpan } from './math-syntax'
import { type Seam, seamOf } from './seams'

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
  /** What was read in parts may mean something else as a whole: it explains a link, or was too much to read. */
  #provisional = false

  /** The blocks of `text`. `whole`: it will not grow any more, and so every reference to a link is known. */
  of(text: string, whole: boolean): readonly Token[] {
    const normal = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
    const before = this.#text
    this.#text = normal
    if (!normal.startsWith(before)) this.#tokens = this.#anew(normal)
    else if (normal.length > before.length) this.#tokens = this.#grown(normal)
    if (whole && this.#provisional) this.#tokens = keeping(this.#tokens, this.#anew(normal))
    return this.#tokens
  }

  #anew(text: string): readonly Token[] {
    this.#provisional = false
    return this.#read(text)
  }

  #grown(text: string): readonly Token[] {
    const { from, seam } = this.#open()
    const finished = this.#tokens.slice(0, from)
    const begun = this.#tokens[from]?.raw.slice(0, seam?.at ?? 0) ?? ''
    const end = endOf([...finished.map((token) => token.raw), begun], text)
    if (end === null) return this.#anew(text) // marked has read something as if it were written otherwise
    if (seam) {
      const [first, ...others] = this.#read(seam.head + copyFrom(text, end))
      const joined = first && seam.join(first)
      if (joined) return [...finished, joined, ...others]
    }
    return [...finished, ...this.#read(copyFrom(text, end - begun.length))]
  }

  /** The first block that can still change. Before a long one nothing can: its beginning no longer depends on what comes. */
  #open(): { from: number; seam: Seam | null } {
    let open = 0
    let from = this.#tokens.length
    let seam: Seam | null = null
    while (from > 0 && open < OPEN_BLOCKS && !seam) {
      from -= 1
      const token = this.#tokens[from]
      if (token?.type !== 'space') open += 1
      seam = token ? seamOf(token) : null
    }
    return { from, seam }
  }

  #read(text: string): Token[] {
    const { tokens, provisional } = lex(text)
    this.#provisional ||= provisional
    return tokens
  }
}

/** Where these end in a text that begins with them; null: it does not. */
function endOf(parts: readonly string[], text: string): number | null {
  let end = 0
  for (const part of parts) {
    if (!text.startsWith(part, end)) return null
    end += part.length
  }
  return end
}

/** A slice would be a view, and each block that is cut from it would keep the whole text of its time in memory. */
function copyFrom(text: string, at: number): string {
  return ` ${text.slice(at)}`.slice(1)
}

/** Of two readings of a text, the later, but the same objects where they are the same: only links may differ. */
function keeping(before: readonly Token[], after: readonly Token[]): readonly Token[] {
  return after.map((token, at) => {
    const same = before[at]
    return same?.raw === token.raw && same.type === token.type && !token.raw.includes('[') ? same : token
  })
}

interface Reading {
  readonly tokens: Token[]
  readonly provisional: boolean
}

/** As Markdown; what cannot be read as that, as the text it is. */
function lex(text: string): Reading {
  const runaway = text.search(RUNAWAY)
  if (runaway >= 0) {
    return { tokens: [...lex(text.slice(0, runaway)).tokens, plain(text.slice(runaway))], provisional: true }
  }
  try {
    const tokens = markdown.lexer(text)
    return { tokens, provisional: Object.keys(tokens.links).length > 0 }
  } catch (error) {
    if (error instanceof RangeError) return { tokens: [plain(text)], provisional: true } // deeper than the stack
    throw error
  }
}

function plain(text: string): Token {
  return { type: 'paragraph', raw: text, text, tokens: [{ type: 'escape', raw: text, text }] }
}
