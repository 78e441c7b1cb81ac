import type { Tokens } from 'marked'
import { type ComponentChildren, createContext } from 'preact'
import { useContext, useMemo } from 'preact/hooks'
import { CopyButton } from '../copy-button'
import { Store } from '../store'
import { useStore } from '../use-store'
import { highlighter, type Piece } from './highlight'

/** Whether the text around will not grow any more. */
export const Whole = createContext(true)

/** Who colours it. */
export const Colours = createContext(highlighter)

const PART = 4_000 // characters; some screens full
const FENCED = /^ {0,3}(`{3,}|~{3,})/
const PLAIN = new Store<{ readonly value: readonly Piece[] | null }>({ value: null }, () => {})

/** A block of code. Its colours come when it is finished, and change nothing but colours. */
export function CodeBlock({ token }: { token: Tokens.Code }) {
  const colours = useContext(Colours)
  const finished = useContext(Whole) || isClosed(token.raw)
  const language = token.lang?.split(/\s/)[0] ?? ''
  const outcome = useMemo(
    () => (finished && language !== '' ? colours.pieces(token.text, language) : PLAIN),
    [colours, finished, language, token.text],
  )
  const pieces = useStore(outcome, ({ value }) => value)
  return (
    <div class="code" dir="ltr">
      <div class="about">
        <span class="language">{language}</span>
        <CopyButton text={() => token.text} title="Copy the code" />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard */}
      <pre tabIndex={0} data-language={language || undefined}>
        <code>{pieces ? pieces.map(drawPiece) : drawPlain(token.text)}</code>
      </pre>
    </div>
  )
}

/** As it is; a long one in parts, so that a browser lays out the last of them only while the code grows. */
function drawPlain(text: string): ComponentChildren {
  if (text.length <= PART) return text
  return partsOf(text).map((part) => <span class="part">{part}</span>)
}

/** Whole lines, so that the parts can stand one below the other. */
function partsOf(text: string): string[] {
  const parts: string[] = []
  let from = 0
  while (from < text.length) {
    const end = text.indexOf('\n', from + PART)
    const to = end < 0 ? text.length : end + 1
    parts.push(text.slice(from, to))
    from = to
  }
  return parts
}

function drawPiece(piece: Piece): ComponentChildren {
  return typeof piece === 'string' ? piece : <span class={piece.kind}>{piece.pieces.map(drawPiece)}</span>
}

/** Whether the line that ends it has come. */
function isClosed(raw: string): boolean {
  const fence = FENCED.exec(raw)?.[1]
  if (!fence) return false
  const last = raw.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return raw.trimEnd().includes('\n') && last.startsWith(fence)
}
