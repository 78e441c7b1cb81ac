import type { Message } from './api'
import { isComposing } from './composing'
import { CopyButton } from './copy-button'
import { isCutOff, statusLine } from './endings'
import { Icon } from './icons'
import { memo } from './memo'
import { isChoice } from './models'
import type { Page } from './page'
import { ProofButton } from './proof-button'
import { Markdown } from './prose/markdown'
import { Mark, speakerOf } from './speaker'
import { busyStream, logOf, shown } from './state'
import { useStore } from './use-store'

interface Props {
  readonly page: Page
  readonly message: Message
}

/** What the person said. */
export const Question = memo(({ page, message }: Props) => {
  const editing = useStore(page.store, (state) => state.editing === message.id)
  const guest = useStore(page.store, (state) => state.guest)
  const me = useStore(page.store, (state) => state.conversation?.me ?? '')
  if (editing) return <Editing page={page} message={message} />
  const asker = speakerOf(message.author, guest, me)
  const name = asker.mine ? 'You' : asker.name
  return (
    <article class="message question" aria-label={name} data-message={message.id}>
      <h2 class={asker.mine ? 'sr-only' : 'asker'}>
        <bdi class="name">{name}</bdi>
        {!asker.mine && <Mark speaker={asker} />}
      </h2>
      <div class="words" dir="auto" lang="">
        {message.content}
      </div>
      <footer class="tools">
        <Versions page={page} message={message} />
        {!guest && (
          <button
            type="button"
            class="tool anew"
            title="Edit and send again"
            onClick={() => page.store.set({ editing: message.id })}
          >
            <Icon name="rename" />
            <span class="sr-only">Edit and send again</span>
          </button>
        )}
        <CopyButton text={() => message.content} title="Copy your message" />
      </footer>
    </article>
  )
})

function Editing({ page, message }: Props) {
  const cancel = () => page.store.set({ editing: null })
  return (
    <form
      class="message editing"
      aria-label="Edit your message"
      onSubmit={(event) => {
        event.preventDefault()
        void page.chat.edit(message, String(new FormData(event.currentTarget).get('content')))
      }}
      onKeyDown={(event) => event.key === 'Escape' && !isComposing(event) && cancel()}
    >
      <textarea name="content" aria-label="Message" dir="auto" defaultValue={message.content} ref={focusAtEnd} />
      <footer class="tools">
        <button type="button" class="plain" onClick={cancel}>
          Cancel
        </button>
        <button type="submit" class="primary">
          Send again
        </button>
      </footer>
    </form>
  )
}

/** What the model said, or is saying. */
export const Answer = memo(({ page, message }: Props) => {
  const log = useStore(page.store, (state) => logOf(state, message))
  const stopping = useStore(page.store, (state) => state.stopping !== null && state.stopping === message.stream)
  const model = useStore(page.store, (state) => (isChoice(state) ? message.model : null))
  const guest = useStore(page.store, (state) => state.guest)
  const { text, reasoning } = shown(message, log)
  const line = statusLine(message, log, stopping)
  const growing = line?.tone === 'busy'
  const cutOff = isCutOff(message)
  const again = !guest && (
    <button
      type="button"
      class={cutOff ? 'tool anew first' : 'tool anew'}
      title="Try again"
      onClick={() => void page.chat.regenerate(message)}
    >
      <Icon name="again" />
      <span class={cutOff ? 'words' : 'sr-only'}>Try again</span>
    </button>
  )
  return (
    <article class="message answer" aria-label="Answer" aria-busy={growing} data-message={message.id}>
      <h2 class="sr-only">Answer</h2>
      {reasoning !== '' && (
        <details class="reasoning">
          <summary>Reasoning</summary>
          <Markdown text={reasoning} whole={!growing} />
        </details>
      )}
      {text !== '' && <Markdown text={text} whole={!growing} />}
      {line && (
        <p class="status" data-tone={line.tone}>
          {line.words}
        </p>
      )}
      {!growing && (
        <footer class="tools">
          <Versions page={page} message={message} />
          {cutOff && text !== '' && !guest && (
            <button
              type="button"
              class="tool anew first"
              title="Continue"
              onClick={() => void page.chat.continue(message)}
            >
              <Icon name="onwards" />
              <span class="words">Continue</span>
            </button>
          )}
          {cutOff && again}
          {text !== '' && (
            <CopyButton text={() => text} title={cutOff ? 'Copy what is there' : 'Copy the answer'} inWords={cutOff} />
          )}
          {text !== '' && <ProofButton page={page} message={message} />}
          {!cutOff && again}
          {model && <span class="model">{model}</span>}
        </footer>
      )}
    </article>
  )
})

/** Back and forth between the versions of a message. */
function Versions({ page, message }: Props) {
  const { versions } = message
  const busy = useStore(page.store, (state) => versions.length > 1 && busyStream(state) !== null)
  if (versions.length < 2) return null
  const at = versions.indexOf(message.id)
  const step = (by: -1 | 1, name: 'previous' | 'next', words: string) => {
    const version = versions[at + by]
    return (
      <button
        type="button"
        class="tool"
        title={words}
        disabled={busy || version === undefined}
        onClick={() => version && void page.chat.select(version)}
      >
        <Icon name={name} />
        <span class="sr-only">{words}</span>
      </button>
    )
  }
  return (
    <span class="versions">
      {step(-1, 'previous', 'Previous version')}
      <span class="count">
        {at + 1} of {versions.length}
      </span>
      {step(1, 'next', 'Next version')}
    </span>
  )
}

function focusAtEnd(area: HTMLTextAreaElement | null): void {
  area?.focus()
  area?.setSelectionRange(area.value.length, area.value.length)
}
