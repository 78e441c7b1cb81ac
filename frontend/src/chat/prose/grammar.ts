/** Reads code by a grammar. Loaded on demand: only `highlight.ts` imports it, and only when there is code to read. */

import type { ElementContent } from 'hast'
import type { LanguageFn } from 'highlight.js'
import { createLowlight } from 'lowlight'
import type { Highlight, Piece } from './highlight'

export function reader(language: string, grammars: Record<string, LanguageFn>): Highlight {
  const lowlight = createLowlight(grammars)
  return (code) => lowlight.highlight(language, code, { prefix: 'is-' }).children.map(piece)
}

function piece(node: ElementContent | { readonly type: 'doctype' }): Piece {
  if (node.type === 'text') return node.value
  if (node.type !== 'element') return ''
  const names = node.properties['className']
  return { kind: Array.isArray(names) ? names.join(' ') : '', pieces: node.children.map(piece) }
}
