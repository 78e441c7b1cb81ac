import { useState } from 'preact/hooks'
import type { Remark } from '../stream'
import { MembersOnly } from './account-menu'
import { isComposing, sends } from './composing'
import { timeOf } from './days'
import { Icon } from './icons'
import { NameField } from './name-field'
import type { Page } from './page'
import { Mark, type Speaker, speakerOf } from './speaker'
import { mustSignIn } from './state'
import { useStore } from './use-store'

/** The discussion beside the conversation. */
export function Beside({ page }: { page: Page }) {
  const remarks = useStore(page.store, (state) => state.remarks)
  const me = useStore(page.store, (state) => state.conversation?.me ?? '')
  const guest = useStore(page.store, (state) => state.guest)
  const mustFirst = useStore(page.store, mustSignIn)
  const close = () => page.discussion.toggle()
  return (
    <aside
      class="beside"
      aria-label="Discussion"
      onKeyDown={(event) => event.key === 'Escape' && !isComposing(event) && close()}
    >
      <header>
        <h2>Discussion</h2>
        <button type="button" class="tool" title="Close the discussion" onClick={close}>
          <Icon name="close" />
          <span class="sr-only">Close the discussion</span>
        </button>
      </header>
      <div class="remarks" role="log" aria-label="Remarks" ref={page.besideScroll.attach}>
        <ol>
          {remarks.length === 0 && <li class="hint">Nobody has said anything yet.</li>}
          {remarks.map((remark) => (
            <Entry
              key={remark.id}
              page={page}
              remark={remark}
              speaker={speakerOf(remark.author, guest, me)}
              removable={!guest || remark.author.tag === me}
            />
          ))}
        </ol>
      </div>
      {mustFirst ? <MembersOnly page={page} /> : <Saying page={page} />}
    </aside>
  )
}

interface EntryProps {
  readonly page: Page
  readonly remark: Remark
  readonly speaker: Speaker
  readonly removable: boolean
}

function Entry({ page, remark, speaker, removable }: EntryProps) {
  const { name, mine } = speaker
  return (
    <li class="remark" data-mine={mine}>
      <p class="about">
        <bdi class="name">{name}</bdi>
        <Mark speaker={speaker} />
        {remark.author.owner && remark.author.name !== '' && <span class="role">owner</span>}
        {mine && <span class="role">you</span>}
        <time dateTime={remark.created_at}>{timeOf(new Date(remark.created_at), new Date())}</time>
        {removable && (
          <button type="button" class="tool" title="Remove" onClick={() => void page.discussion.remove(remark)}>
            <Icon name="remove" />
            <span class="sr-only">Remove the remark of {name}</span>
          </button>
        )}
      </p>
      <p class="said" dir="auto">
        {remark.content}
      </p>
    </li>
  )
}

function Saying({ page }: { page: Page }) {
  const words = useStore(page.store, (state) => state.saying)
  const [saying, setSaying] = useState(false)
  const say = async () => {
    if (saying || words.trim() === '') return
    setSaying(true)
    await page.discussion.say()
    setSaying(false)
  }
  return (
    <form
      class="saying"
      onSubmit={(event) => {
        event.preventDefault()
        void say()
      }}
    >
      <NameField page={page} />
      <div class="box">
        <textarea
          aria-label="Your remark"
          placeholder="Say something"
          rows={1}
          maxLength={2000}
          dir="auto"
          value={words}
          readOnly={saying}
          onInput={(event) => page.discussion.type(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return
            event.preventDefault()
            void say()
          }}
        />
        <button type="submit" class="tool" title="Say it" disabled={saying || words.trim() === ''}>
          <Icon name="send" />
          <span class="sr-only">Say it</span>
        </button>
      </div>
    </form>
  )
}
