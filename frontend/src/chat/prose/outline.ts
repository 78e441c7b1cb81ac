/**
 * The levels of headings. Models begin with any depth and skip some; those who hear the page need an outline without
 * holes: each heading lies one level below the one that it belongs to. Only what came before counts, so that a level does
 * not change while the text grows.
 */

import type { Token, Tokens } from 'marked'

const TOP = 3 // below the page's own: its title, and who speaks
const LOWEST = 6

/** For each block the level of its heading; null: it is none. */
export function outline(blocks: readonly Token[]): (number | null)[] {
  const above: number[] = []
  return blocks.map((token) => {
    if (token.type !== 'heading') return null
    const { depth } = token as Tokens.Heading
    while ((above.at(-1) ?? 0) >= depth) above.pop()
    above.push(depth)
    return Math.min(TOP + above.length - 1, LOWEST)
  })
}
