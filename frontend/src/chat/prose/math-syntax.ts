/**
 * Finds formulas in Markdown: `$$…$$` and `\[…\]` for those that stand alone, `\(…\)` and `$…$` within a line. A dollar is
 * far more often a price or a variable of a shell; where one might be, it is.
 */

import type { TokenizerAndRendererExtension, Tokens } from 'marked'

export interface MathToken extends Tokens.Generic {
  readonly type: 'math' | 'mathBlock'
  readonly text: string
  readonly display: boolean
}

const LONGEST = 4_000 // characters; what is longer is no formula that anyone could read. The patterns below say it again.
const CLOSING: Readonly<Record<string, string>> = { $$: '$$', '\\[': '\\]', '\\(': '\\)' }
const BLOCK =
  /^ {0,3}(?:\$\$((?:(?!\$\$|\n[ \t]*\n)[\s\S]){1,4000})\$\$|\\\[((?:(?!\\\]|\n[ \t]*\n)[\s\S]){1,4000})\\\])[ \t]*(?:\n+|$)/
/** One that has begun, and may become whole as long as no empty line comes. */
const HALF_BLOCK = /^ {0,3}(?:\$\$(?:(?!\$\$|\n[ \t]*\n)[\s\S]){0,4000}\$?|\\\[(?:(?!\\\]|\n[ \t]*\n)[\s\S]){0,4000})$/
const BLOCK_START = /\n {0,3}(?:\$\$|\\\[)/

const SPAN =
  /^(?:\$\$((?:(?!\$\$)[^`]){1,4000})\$\$|\\\[((?:(?!\\\])[\s\S]){1,4000})\\\]|\\\(((?:(?!\\\))[\s\S]){1,4000})\\\))/
/** Nothing but the formula touches its dollars, and neither number nor letter follows: "$5-$10", "$HOME/$USER". */
const DOLLARS = /^\$(?![\s$])((?:\\[^\n]|[^$\\`\n]){1,300})(?<!\s)\$(?![\p{L}\p{N}$])/u
const WORD_CHARACTER = /[\p{L}\p{N}$\\]$/u
/** "$5 or maybe 10$": a price and some words. */
const PRICE = /^\d[^\\]*\s[a-z]{2}/i

export const mathBlock: TokenizerAndRendererExtension = {
  name: 'mathBlock',
  level: 'block',
  start(src) {
    const end = src.indexOf('\n\n') // a paragraph goes no further
    const at = (end < 0 ? src : src.slice(0, end)).search(BLOCK_START)
    return at < 0 ? undefined : at + 1
  },
  tokenizer(src) {
    const found = BLOCK.exec(src)
    if (found) return formula('mathBlock', found[0], found[1] ?? found[2] ?? '', true)
    const half = HALF_BLOCK.exec(src)
    return half ? { type: 'halfMath', raw: half[0] } : undefined // not a paragraph: those are taken up by the next
  },
}

export const mathSpan: TokenizerAndRendererExtension = {
  name: 'math',
  level: 'inline',
  start: (src) => (src.includes('$') ? src.indexOf('$') : undefined), // a backslash stops the lexer by itself
  tokenizer(src, before) {
    const first = src[0]
    if (first !== '$' && first !== '\\') return undefined
    const found = mayClose(src) ? SPAN.exec(src) : null
    if (found) return formula('math', found[0], found[1] ?? found[2] ?? found[3] ?? '', found[3] === undefined)
    if (first !== '$' || WORD_CHARACTER.test(before.at(-1)?.raw ?? '')) return undefined
    const careful = DOLLARS.exec(src)
    const text = careful?.[1]
    return careful && text && !PRICE.test(text) ? formula('math', careful[0], text, false) : undefined
  },
}

/** To look for the closing mark is far cheaper than to read up to where it is not, at each of many opening ones. */
function mayClose(src: string): boolean {
  const closing = CLOSING[src.slice(0, 2)]
  return closing !== undefined && src.slice(2, LONGEST + 4).includes(closing)
}

function formula(type: MathToken['type'], raw: string, text: string, display: boolean): MathToken | undefined {
  return text.trim() === '' ? undefined : { type, raw, text: text.trim(), display }
}
