/**
 * Typesets TeX as MathML, which browsers draw by themselves. Loaded on demand. What comes out is data, and only what a
 * formula needs: elements, attributes and styles of the lists below.
 */

import '../../styles/math.css'
import temml from 'temml'

export type Mark =
  | string
  | {
      readonly name: string
      readonly attributes: Readonly<Record<string, string>>
      readonly style: Readonly<Record<string, string>>
      readonly marks: readonly Mark[]
    }

export type Typeset = (tex: string, display: boolean) => Mark

/** What Temml returns: its types say `any`. */
interface Node {
  readonly type?: string
  readonly text?: string
  readonly attributes?: Readonly<Record<string, string>>
  readonly style?: Readonly<Record<string, string>>
  readonly classes?: readonly string[]
  readonly children?: readonly Node[]
  readonly href?: string
}

const DEEPEST = 100 // levels
const MOST = 5_000 // elements
const TALLEST: [number, number] = [10, 100] // em and pt: of a rule or a space

const ELEMENTS = new Set(
  (
    'math mrow mi mn mo ms mspace mtext mfrac msqrt mroot mstyle mpadded mphantom menclose msub msup msubsup munder ' +
    'mover munderover mmultiscripts mprescripts none mtable mtr mtd'
  ).split(' '),
)
const ATTRIBUTES = new Set(
  (
    'accent accentunder columnalign columnlines columnspan depth display displaystyle fence form height largeop ' +
    'linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines rowspan rspace scriptlevel ' +
    'separator stretchy symmetric voffset width'
  ).split(' '),
)
const STYLE =
  /^(?:color|fontSize|fontWeight|fontStyle|width|height|verticalAlign|textAlign|(?:padding|margin|border)\w*)$/
const VALUE = /^[\w\s.#%-]*$/ // no function, and so no address

/** Throws where the formula is wrong, or more than a formula. */
export const typeset: Typeset = (tex, display) => {
  const options = {
    displayMode: display,
    wrap: display ? ('none' as const) : ('tex' as const),
    throwOnError: true,
    trust: false,
    maxSize: TALLEST,
    maxExpand: 500,
  }
  const room = { left: MOST }
  return mark(temml.__renderToMathMLTree(tex, options) as Node, 0, room)
}

function mark(node: Node, depth: number, room: { left: number }): Mark {
  if (node.type === undefined && node.text !== undefined) return node.text
  room.left -= 1
  if (depth > DEEPEST || room.left < 0) throw new RangeError('This is more than a formula.')
  const fragment = node.type === undefined || node.type === ''
  if (node.href !== undefined || (!fragment && !ELEMENTS.has(node.type ?? '')))
    throw new TypeError(`A formula has no ${node.type ?? 'link'}.`)
  const classes = node.classes?.filter(Boolean).join(' ')
  return {
    name: fragment ? 'mrow' : (node.type ?? ''),
    attributes: {
      ...only(node.attributes, (name) => ATTRIBUTES.has(name)),
      ...(classes ? { class: classes } : {}),
    },
    style: only(node.style, (name, value) => STYLE.test(name) && VALUE.test(value)),
    marks: (node.children ?? []).map((child) => mark(child, depth + 1, room)),
  }
}

function only(
  entries: Readonly<Record<string, string>> | undefined,
  keep: (name: string, value: string) => boolean,
): Record<string, string> {
  const strings = Object.entries(entries ?? {}).map(([name, value]) => [name, String(value)] as const)
  return Object.fromEntries(strings.filter(([name, value]) => keep(name, value)))
}
