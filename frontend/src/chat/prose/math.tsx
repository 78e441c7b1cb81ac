import { type ComponentChildren, createContext, h } from 'preact'
import { useContext, useMemo } from 'preact/hooks'
import { useStore } from '../use-store'
import type { Mark, Typeset } from './formula'
import type { MathToken } from './math-syntax'
import { OnDemand } from './on-demand'
import { ifReachable } from './reachable'

/** Who typesets. Nothing of it is loaded before an answer contains a formula. */
export const Typesetter = createContext(
  new OnDemand<Typeset>(() => ifReachable(async () => (await import('./formula')).typeset)),
)

/** A formula; until it is typeset, and where it is none, what was written. */
export function Formula({ token }: { token: MathToken }) {
  const typesetter = useContext(Typesetter)
  const { text, display } = token
  const outcome = useMemo(() => typesetter.ask((typeset) => typeset(text, display)), [typesetter, text, display])
  const mark = useStore(outcome, ({ value }) => value)
  if (token.type === 'math') return mark ? drawMark(mark) : token.raw
  if (!mark) return <p dir="ltr">{token.raw.trim()}</p>
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard
    <div class="formula" dir="ltr" tabIndex={0}>
      {drawMark(mark)}
    </div>
  )
}

function drawMark(mark: Mark): ComponentChildren {
  if (typeof mark === 'string') return mark
  return h(mark.name, { ...mark.attributes, style: mark.style }, mark.marks.map(drawMark))
}
