/**
 * Draws Markdown by walking marked's tokens into elements. There is no HTML string anywhere: tags in the text of a
 * model stay text, and a link is a link only with a scheme from the list below.
 */

import type { Token, Tokens } from 'marked'
import { Component, type ComponentChildren, h } from 'preact'
import { memo } from '../memo'
import { Blocks } from './blocks'
import { CodeBlock, Whole } from './code'
import { columnsOf, templateOf } from './columns'
import { directionOf } from './direction'
import { decodeEntities } from './entities'
import { GROUP, groupsOf } from './groups'
import { Formula } from './math'
import type { MathToken } from './math-syntax'
import { outline } from './outline'

const DEEPEST = 40 // levels; what is nested further is shown as it was written
const SCHEMES = ['http:', 'https:', 'mailto:']

interface Props {
  readonly text: string
  /** It will not grow any more. */
  readonly whole: boolean
}

export class Markdown extends Component<Props> {
  readonly #blocks = new Blocks()

  override shouldComponentUpdate(next: Props): boolean {
    return next.text !== this.props.text || next.whole !== this.props.whole
  }

  override render({ text, whole }: Props) {
    const blocks = this.#blocks.of(text, whole)
    const levels = outline(blocks)
    return (
      <Whole.Provider value={whole}>
        <div class="prose" lang="">
          {blocks.map(
            (token, at) => token.type !== 'space' && <Block key={at} token={token} level={levels[at] ?? null} />,
          )}
        </div>
      </Whole.Provider>
    )
  }
}

/** Drawn once for each token: a finished block keeps its token while the text grows behind it. */
const Block = memo(({ token, level }: { token: Token; level: number | null }) => (
  <>{level === null ? drawBlock(token, 0) : drawHeading(token as Tokens.Heading, `h${level}`)}</>
))

function drawBlock(token: Token, depth: number): ComponentChildren {
  if (depth > DEEPEST) return token.raw
  switch (token.type) {
    case 'paragraph':
      return <p dir="auto">{drawInline(token.tokens, depth)}</p>
    case 'text': // inside a tight list item
      return token.tokens ? drawInline(token.tokens, depth) : decodeEntities(token.text)
    case 'heading': // inside a quote or a list, where it is no part of the outline
      return drawHeading(token as Tokens.Heading, 'p')
    case 'code':
      return <CodeBlock token={token as Tokens.Code} />
    case 'blockquote':
      return <blockquote dir={directionOf(token.raw)}>{drawBlocks(token.tokens, depth)}</blockquote>
    case 'list':
      return drawList(token as Tokens.List, depth)
    case 'table':
      return drawTable(token as Tokens.Table)
    case 'hr':
      return <hr />
    case 'space':
    case 'def':
      return null
    case 'mathBlock':
      return <Formula token={token as MathToken} />
    case 'halfMath':
    case 'html':
      return <p dir="auto">{token.raw.trim()}</p>
    default: // a list item may hold a span, as its checkbox
      return drawSpan(token, depth)
  }
}

function drawBlocks(tokens: Token[] | undefined, depth: number): ComponentChildren {
  return tokens?.map((token) => drawBlock(token, depth + 1))
}

/** One level below the page's own headings. */
function drawHeading(token: Tokens.Heading, element: string): ComponentChildren {
  return h(element, { dir: 'auto', 'data-depth': token.depth }, drawInline(token.tokens, 0))
}

function drawList(token: Tokens.List, depth: number): ComponentChildren {
  const dir = directionOf(token.raw)
  const { items, ordered } = token
  const first = token.start === '' ? undefined : token.start
  if (items.length <= GROUP) return <Items items={items} depth={depth} ordered={ordered} start={first} dir={dir} />
  return (
    // Several lists, which would be several for a screen reader too, if they did not say what they are.
    // biome-ignore lint/a11y/useSemanticElements: the element for it may hold nothing but items
    <div class="items" role="list" dir={dir}>
      {groupsOf(items).map((group, at) => (
        <Items
          items={group}
          depth={depth}
          ordered={ordered}
          start={ordered ? (first ?? 1) + at * GROUP : undefined}
          part
        />
      ))}
    </div>
  )
}

interface ItemsProps {
  readonly items: readonly Tokens.ListItem[]
  readonly depth: number
  readonly ordered: boolean
  readonly start?: number | undefined
  readonly dir?: 'ltr' | 'rtl'
  /** Of a longer list. */
  readonly part?: boolean
}

const Items = memo(({ items, depth, ordered, start, dir, part = false }: ItemsProps) => {
  const List = ordered ? 'ol' : 'ul'
  return (
    <List start={start} dir={dir} role={part ? 'presentation' : undefined}>
      {items.map((item) => (
        <Item item={item} depth={depth} part={part} />
      ))}
    </List>
  )
})

/** Drawn once, as a block: a long list keeps its items while it grows. */
const Item = memo(({ item, depth, part }: { item: Tokens.ListItem; depth: number; part: boolean }) => (
  <li class={item.task ? 'task' : undefined} role={part ? 'listitem' : undefined}>
    {drawBlocks(item.tokens, depth)}
  </li>
))

function drawTable(token: Tokens.Table): ComponentChildren {
  const columns = columnsOf(token)
  const dir = directionOf(token.raw)
  // With a layout of its own it would be no table to some screen readers any more, if it did not say so.
  const long = columns && { class: 'long', role: 'table' as const, style: { '--columns': templateOf(columns) } }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard
    <div class="table" tabIndex={0}>
      <table dir={dir} {...long}>
        <thead role={long ? 'rowgroup' : undefined}>
          <Row cells={token.header} as="th" long={long !== null} />
        </thead>
        {groupsOf(token.rows).map((rows) => (
          <Rows rows={rows} long={long !== null} />
        ))}
      </table>
    </div>
  )
}

const Rows = memo(({ rows, long }: { rows: readonly Tokens.TableCell[][]; long: boolean }) => (
  <tbody role={long ? 'rowgroup' : undefined}>
    {rows.map((row) => (
      <Row cells={row} as="td" long={long} />
    ))}
  </tbody>
))

interface RowProps {
  readonly cells: readonly Tokens.TableCell[]
  readonly as: 'th' | 'td'
  readonly long: boolean
}

/** Drawn once, as a block: a long table keeps its rows while it grows. */
const Row = memo(({ cells, as: Cell, long }: RowProps) => {
  const role = Cell === 'th' ? 'columnheader' : 'cell'
  return (
    <tr role={long ? 'row' : undefined}>
      {cells.map((it) => (
        <Cell dir="auto" role={long ? role : undefined} class={it.align ? `align-${it.align}` : undefined}>
          {drawInline(it.tokens, 0)}
        </Cell>
      ))}
    </tr>
  )
})

function drawInline(tokens: Token[] | undefined, depth: number): ComponentChildren {
  return tokens?.map((token) => drawSpan(token, depth + 1))
}

function drawSpan(token: Token, depth: number): ComponentChildren {
  if (depth > DEEPEST) return token.raw
  switch (token.type) {
    case 'text':
      return token.tokens ? drawInline(token.tokens, depth) : decodeEntities(token.text)
    case 'escape':
      return token.text
    case 'strong':
      return <strong>{drawInline(token.tokens, depth)}</strong>
    case 'em':
      return <em>{drawInline(token.tokens, depth)}</em>
    case 'del':
      return <del>{drawInline(token.tokens, depth)}</del>
    case 'codespan':
      return <code dir="ltr">{token.text}</code>
    case 'math':
      return <Formula token={token as MathToken} />
    case 'br':
      return <br />
    case 'checkbox':
      return <input type="checkbox" aria-label={token.checked ? 'Done' : 'To do'} checked={token.checked} disabled />
    case 'link':
      return drawLink(token.href, drawInline(token.tokens, depth), token.raw)
    case 'image': // not fetched: its address would tell a stranger what was read here
      return drawLink(token.href, token.text || token.href, token.raw)
    default:
      return token.raw
  }
}

/** A link, or what was written where it would lead to something else than a page or a letter. */
function drawLink(href: string, words: ComponentChildren, raw: string): ComponentChildren {
  if (!isAllowed(href)) return raw
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {words}
    </a>
  )
}

function isAllowed(href: string): boolean {
  try {
    return SCHEMES.includes(new URL(href).protocol)
  } catch {
    return false // relative: a model knows no address here
  }
}
