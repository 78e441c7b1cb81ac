/**
 * Where a long block can be read on. A table, a list or a block of code may grow to any length, and its rows, items and
 * lines are finished one by one: they are kept, and only what follows them is read again.
 */

import type { Token, Tokens } from 'marked'

export interface Seam {
  /** Characters of the block that are finished. */
  readonly at: number
  /** What to read before the rest, so that it is read as going on. */
  readonly head: string
  /** The whole block, from what `head` and the rest were read as; null where they make another one. */
  readonly join: (rest: Token) => Token | null
}

const WORTH_IT = 1_000 // characters; what is shorter is read again as fast

/** A mark of a list can become something else as long as few characters follow it: this many items are open. */
const OPEN_ITEMS = 2

const NO_SEAM = /^\s*(?:$|```|~~~)/
const BLANK_END = /\n[ \t]*\n[ \t]*$/
const TWO_BREAKS = /\n.*\n/

export function seamOf(token: Token): Seam | null {
  if (token.raw.length < WORTH_IT) return null
  if (token.type === 'code') return seamOfCode(token as Tokens.Code)
  if (token.type === 'table') return seamOfTable(token as Tokens.Table)
  return token.type === 'list' ? seamOfList(token as Tokens.List) : null
}

/** Before its last line that is finished and certainly of the code: neither empty, which is lost at an end, nor an end. */
function seamOfCode(token: Tokens.Code): Seam | null {
  const { raw } = token
  const head = raw.slice(0, raw.indexOf('\n') + 1)
  if (!/^(?:```|~~~)/.test(head)) return null // indented, which every line would be
  let end = raw.lastIndexOf('\n') // of the line
  let at = raw.lastIndexOf('\n', end - 1) + 1
  while (at > head.length && NO_SEAM.test(raw.slice(at, end))) {
    end = at - 1
    at = raw.lastIndexOf('\n', end - 1) + 1
  }
  if (at <= head.length) return null
  const done = raw.slice(head.length, at)
  return {
    at,
    head,
    join(rest) {
      if (rest.type !== 'code') return null
      return { ...rest, raw: joinRaw(token, this, rest), text: done + rest['text'] } as Token
    },
  }
}

/** Before its last row. */
function seamOfTable(token: Tokens.Table): Seam | null {
  const { raw } = token
  const head = raw.slice(0, raw.indexOf('\n', raw.indexOf('\n') + 1) + 1)
  const at = raw.trimEnd().lastIndexOf('\n') + 1
  const rows = token.rows.slice(0, -1)
  if (head === '' || at <= head.length || rows.length === 0) return null
  return {
    at,
    head,
    join(rest) {
      if (rest.type !== 'table') return null
      const { header, align } = token
      return { ...rest, header, align, raw: joinRaw(token, this, rest), rows: [...rows, ...rest['rows']] } as Token
    },
  }
}

function seamOfList(token: Tokens.List): Seam | null {
  const items = token.items.slice(0, -OPEN_ITEMS)
  const at = items.reduce((sum, item) => sum + item.raw.length, 0)
  const [mark = ''] = /(?:[-*+]|\d+[.)])/.exec(token.raw) ?? []
  const loose = items.some(isLoose)
  // An empty line among the open items may still turn out to be none between items.
  if (items.length === 0 || token.loose !== loose) return null
  const head = loose ? `${mark} x\n\n` : '' // as loose as those before
  return {
    at,
    head,
    join(rest) {
      if (rest.type !== 'list' || rest['loose'] !== loose || kindOf(rest.raw) !== kindOf(token.raw)) return null
      const others: Tokens.ListItem[] = loose ? rest['items'].slice(1) : rest['items']
      return { ...token, raw: joinRaw(token, this, rest), items: [...items, ...others] }
    },
  }
}

/** Whether an item that others follow makes their list a loose one. */
function isLoose(item: Tokens.ListItem): boolean {
  return BLANK_END.test(item.raw) || item.tokens.some((token) => token.type === 'space' && TWO_BREAKS.test(token.raw))
}

/** Items with another mark are another list. */
function kindOf(list: string): string {
  return /[-*+.)]/.exec(list)?.[0] ?? ''
}

function joinRaw(token: Token, { at, head }: Seam, rest: Token): string {
  return token.raw.slice(0, at) + rest.raw.slice(head.length)
}
