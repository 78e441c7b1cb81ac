import { MembersOnly } from './account-menu'
import { sends } from './composing'
import { Icon } from './icons'
import { ModelPicker } from './model-picker'
import { NameField } from './name-field'
import type { Page } from './page'
import { busyStream, mayAsk, mayStop, mustSignIn } from './state'
import { useStore } from './use-store'

const GROWS_BY_ITSELF = typeof CSS !== 'undefined' && CSS.supports?.('field-sizing', 'content')

/** Where one types. The words stay until the server has them. */
export function Composer({ page }: { page: Page }) {
  const { store, chat, scroll } = page
  const draft = useStore(store, (state) => state.draft)
  const sending = useStore(store, (state) => state.sending)
  const problem = useStore(store, (state) => state.sendProblem)
  const busy = useStore(store, busyStream)
  const stopping = useStore(store, (state) => state.stopping !== null && state.stopping === busyStream(state))
  const there = useStore(store, (state) => state.reading !== 'missing' && state.reading !== 'over')
  const allowed = useStore(store, (state) => mayAsk(state))
  const mustFirst = useStore(store, mustSignIn)
  const loading = useStore(store, (state) => state.guest && state.conversation === null)
  const guest = useStore(store, (state) => state.guest)
  const nothingYet = useStore(store, (state) => !state.guest && !state.conversation?.messages.length)
  const stoppable = useStore(store, mayStop)
  const send = () => {
    scroll.toLatest()
    void chat.send()
  }
  if (!there || loading) return null
  if (mustFirst && nothingYet) return null // what is said instead of a greeting says it
  if (mustFirst) return <MembersOnly page={page} />
  if (!allowed) {
    return (
      <p class="composer watching">
        You are watching. <a href="/">Begin a conversation of your own</a>
      </p>
    )
  }
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {problem && (
        <p class="problem" role="alert">
          Not sent. {problem} Your words are still here.
        </p>
      )}
      {guest && <NameField page={page} />}
      <div class="box">
        <textarea
          aria-label="Message"
          dir="auto"
          placeholder="Ask anything"
          rows={1}
          value={draft}
          readOnly={sending}
          // biome-ignore lint/a11y/noAutofocus: to type is what the page is for
          autoFocus
          ref={GROWS_BY_ITSELF ? null : (area) => grow(area)} // with every draft, so also after one was sent
          onInput={(event) => chat.type(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return
            event.preventDefault()
            if (!busy) send()
          }}
        />
        {busy && stoppable ? (
          <button
            key="stop"
            type="button"
            class="send stop"
            disabled={stopping}
            // It takes the place of Send: the second click of a double click was meant for that.
            onClick={(event) => event.detail < 2 && void chat.stop()}
          >
            <Icon name="stop" />
            <span class="sr-only">{stopping ? 'Stopping' : 'Stop'}</span>
          </button>
        ) : (
          <button key="send" type="submit" class="send" disabled={sending || busy !== null || draft.trim() === ''}>
            <Icon name="send" />
            <span class="sr-only">{problem ? 'Try again' : 'Send'}</span>
          </button>
        )}
      </div>
      <ModelPicker page={page} />
    </form>
  )
}

/** For browsers without `field-sizing`. */
function grow(area: HTMLTextAreaElement | null): void {
  if (!area) return
  area.style.height = 'auto'
  area.style.height = `${area.scrollHeight}px`
}
