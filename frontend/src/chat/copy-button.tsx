import { useRef, useState } from 'preact/hooks'
import { copy } from './clipboard'
import { Icon } from './icons'

const TOLD = 2_000 // ms that the button says what it did

type Outcome = 'copied' | 'refused'

const SAYS: Record<Outcome, string> = { copied: 'Copied', refused: 'The browser does not allow to copy' }

interface Props {
  readonly text: () => string
  readonly title: string
  /** Its words are to be seen, not only its picture. */
  readonly inWords?: boolean
}

/** Copies what `text` returns when it is pressed, and says so. */
export function CopyButton({ text, title, inWords = false }: Props) {
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const timer = useRef(0)
  const press = async () => {
    const copied = await copy(text())
    clearTimeout(timer.current)
    setOutcome(copied ? 'copied' : 'refused')
    timer.current = window.setTimeout(() => setOutcome(null), TOLD)
  }
  const words = outcome ? SAYS[outcome] : title
  return (
    <button type="button" class="tool" title={words} onClick={() => void press()}>
      <Icon name={outcome === 'copied' ? 'done' : 'copy'} />
      <span class={inWords ? 'words' : 'sr-only'} aria-live="polite">
        {words}
      </span>
    </button>
  )
}
