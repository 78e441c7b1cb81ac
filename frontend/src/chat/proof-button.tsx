import { useState } from 'preact/hooks'
import type { Message } from './api'
import { Icon } from './icons'
import { wordsOf } from './library'
import type { Page } from './page'
import type { Proof } from './proof'

/** Compares the answer with the server's, and shows a digest that everybody who sees the same text has. */
export function ProofButton({ page, message }: { page: Page; message: Message }) {
  const [told, setTold] = useState<Proof | string | null>(null)
  const press = async () => {
    try {
      setTold(await page.prove(message))
    } catch (error) {
      setTold(wordsOf(error))
    }
  }
  return (
    <>
      <button type="button" class="tool" title="Compare with the server's text" onClick={() => void press()}>
        <Icon name="proof" />
        <span class="sr-only">Compare with the server’s text</span>
      </button>
      <span class="proof" role="status" data-same={typeof told === 'object' ? told?.same : undefined}>
        {told && inWords(told)}
      </span>
    </>
  )
}

function inWords(told: Proof | string): string {
  if (typeof told === 'string') return told
  return told.same
    ? `The same for all, as on the server: ${told.sha256.slice(0, 8)}`
    : 'Not the server’s text. Reload the page to get that.'
}
