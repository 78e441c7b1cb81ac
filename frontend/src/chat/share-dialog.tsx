import { useState } from 'preact/hooks'
import type { Share, Terms } from './api'
import { CopyButton } from './copy-button'
import { Dialog } from './dialog'
import type { Page } from './page'
import { useStore } from './use-store'

const HOUR = 3_600_000 // ms
const A_DOUBLE_CLICK = 500 // ms; its second half is not a second wish
const ENDS: readonly (readonly [string, string])[] = [
  ['', 'never'],
  [String(HOUR), 'in an hour'],
  [String(24 * HOUR), 'in a day'],
  [String(7 * 24 * HOUR), 'in a week'],
  ['date', 'on a date'],
]

/** The links to the conversation, and a form for another. */
export function ShareDialog({ page }: { page: Page }) {
  const shares = useStore(page.store, (state) => state.conversation?.shares ?? NONE)
  const standing = shares.filter((share) => !isOver(share, Date.now()))
  return (
    <Dialog page={page} title="Share this conversation">
      {standing.length > 0 && (
        <ul class="links" aria-label="Links">
          {standing.map((share) => (
            <Link key={share.id} page={page} share={share} />
          ))}
        </ul>
      )}
      <NewLink page={page} first={standing.length === 0} />
    </Dialog>
  )
}

const NONE: readonly Share[] = []

function Link({ page, share }: { page: Page; share: Share }) {
  const address = new URL(`/s/${share.id}`, location.href).href
  return (
    <li class="link">
      <div class="address">
        <input readOnly aria-label="Link" value={address} onFocus={(event) => event.currentTarget.select()} />
        <CopyButton text={() => address} title="Copy the link" />
        <button type="button" class="plain bad" onClick={() => void page.sharing.revoke(share.id)}>
          Revoke
        </button>
      </div>
      <p class="terms">{inWords(share)}</p>
    </li>
  )
}

function NewLink({ page, first }: { page: Page; first: boolean }) {
  const hasPrompt = useStore(page.store, (state) => (state.conversation?.system_prompt ?? state.newPrompt) !== '')
  const [ends, setEnds] = useState('')
  const [busy, setBusy] = useState(false)
  const create = async (form: HTMLFormElement) => {
    if (busy) return
    setBusy(true)
    await page.sharing.share(termsOf(new FormData(form), Date.now()))
    setTimeout(() => setBusy(false), A_DOUBLE_CLICK)
  }
  return (
    <form
      class="new-link"
      onSubmit={(event) => {
        event.preventDefault()
        void create(event.currentTarget)
      }}
    >
      {!first && <h3>Another link</h3>}
      <fieldset>
        <legend>Whoever has the link may</legend>
        <label>
          <input type="radio" name="may" value="watch" defaultChecked /> <span>Watch</span>
          <small>They see the answers appear, live.</small>
        </label>
        <label>
          <input type="radio" name="may" value="ask" /> <span>Ask too</span>
          <small>They can send the next question when an answer is complete.</small>
        </label>
      </fieldset>
      <label>
        <input type="checkbox" name="discussion" defaultChecked /> <span>Talk beside it</span>
        <small>A discussion that all who watch can see and join.</small>
      </label>
      {hasPrompt && (
        <label>
          <input type="checkbox" name="shows_prompt" /> <span>Show the instructions</span>
        </label>
      )}
      <label>
        <input type="checkbox" name="indexed" /> <span>Let search engines list it</span>
      </label>
      <div class="ends">
        <label>
          The link ends{' '}
          <select name="ends" value={ends} onChange={(event) => setEnds(event.currentTarget.value)}>
            {ENDS.map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        {ends === 'date' && <input type="datetime-local" name="date" aria-label="Date and time" required />}
      </div>
      <button type="submit" class="primary" aria-disabled={busy}>
        Create a link
      </button>
    </form>
  )
}

function isOver(share: Share, now: number): boolean {
  return share.expires_at !== null && Date.parse(share.expires_at) <= now
}

/** What a link is good for, in a line. */
export function inWords(share: Share): string {
  const words = [share.may_ask ? 'Watch and ask' : 'Watch']
  if (!share.discussion) words.push('no discussion')
  if (share.shows_prompt) words.push('shows the instructions')
  if (share.indexed) words.push('for search engines too')
  if (share.expires_at) words.push(`until ${new Date(share.expires_at).toLocaleString()}`)
  return words.join(' · ')
}

export function termsOf(form: FormData, now: number): Terms {
  const ends = form.get('ends')
  return {
    may_ask: form.get('may') === 'ask',
    discussion: form.has('discussion'),
    shows_prompt: form.has('shows_prompt'),
    indexed: form.has('indexed'),
    expires_at: ends ? moment(ends === 'date' ? String(form.get('date')) : now + Number(ends)) : null,
  }
}

function moment(time: string | number): string {
  return new Date(time).toISOString()
}
