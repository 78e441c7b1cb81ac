/**
 * The columns of a long table. A browser measures every cell of a table whenever one is added; told how wide the columns
 * are, it looks at the new row only.
 */

import type { Tokens } from 'marked'

const LONG = 100 // rows; up to here a browser is fast, and its columns fit better
const SAMPLE = 100 // rows
const NARROWEST = 4 // characters
const WIDEST = 40
const A_WORD = 16
const PADDING = 3 // characters, of a cell

/** Characters of each column, by its first rows; null where the browser may find out by itself. */
export function columnsOf({ header, rows }: Tokens.Table): readonly number[] | null {
  if (rows.length <= LONG) return null
  const sample = [header, ...rows.slice(0, SAMPLE)]
  return header.map((_, column) => {
    const longest = Math.max(...sample.map((cells) => cells[column]?.text.length ?? 0))
    return Math.min(Math.max(longest, NARROWEST), WIDEST)
  })
}

/** As CSS: a column takes its share of the room, and never less than what a number or a word wants. */
export function templateOf(columns: readonly number[]): string {
  return columns.map((width) => `minmax(${Math.min(width, A_WORD) + PADDING}ch, ${width}fr)`).join(' ')
}
