import { SignIn } from './account-menu'
import { announcement } from './endings'
import { Icon } from './icons'
import { Answer, Question } from './message'
import type { Page } from './page'
import { busyStream, logOf, mustSignIn } from './state'
import { useStore } from './use-store'

/** The messages of the open conversation, in the part of the page that scrolls. */
export function ConversationView({ page }: { page: Page }) {
  const at = useStore(page.store, (state) => state.at)
  const away = useStore(page.store, (state) => state.away)
  const busy = useStore(page.store, (state) => busyStream(state) !== null)
  return (
    <div class="stage">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <main class="scroller" aria-label="Conversation" ref={page.scroll.attach} key={at ?? 'new'} tabIndex={0}>
        <div class="measure" data-busy={busy}>
          <Messages page={page} />
        </div>
      </main>
      {away && (
        <button type="button" class="latest" onClick={page.scroll.toLatest}>
          <Icon name="down" />
          Latest
        </button>
      )}
      <Announcer page={page} />
    </div>
  )
}

function Messages({ page }: { page: Page }) {
  const conversation = useStore(page.store, (state) => state.conversation)
  const reading = useStore(page.store, (state) => state.reading)
  const guest = useStore(page.store, (state) => state.guest)
  if (reading === 'missing' || reading === 'over') return <Nothing page={page} over={reading === 'over'} />
  if (conversation) {
    if (guest && conversation.messages.length === 0) {
      return <p class="hint">Nothing has been asked yet. What will be appears here.</p>
    }
    if (conversation.messages.length === 0) return <Beginning page={page} />
    return conversation.messages.map((message) => {
      const View = message.role === 'user' ? Question : Answer
      return <View key={message.id} page={page} message={message} />
    })
  }
  if (reading === 'loading') return <p class="hint">Opening…</p>
  if (reading === 'failed') return <p class="hint">The server could not be reached. Trying again…</p>
  return <Beginning page={page} />
}

function Beginning({ page }: { page: Page }) {
  const mustFirst = useStore(page.store, mustSignIn)
  if (mustFirst) {
    return (
      <section class="empty">
        <h2>Sign in to ask</h2>
        <p>Only people with an account write here.</p>
        <p>
          <SignIn page={page} primary />
        </p>
      </section>
    )
  }
  return (
    <section class="empty">
      <h2>What would you like to know?</h2>
      <p>Reload, lose the network, close the tab: the answer goes on, and you can rejoin it at any time.</p>
    </section>
  )
}

function Nothing({ page, over }: { page: Page; over: boolean }) {
  const guest = useStore(page.store, (state) => state.guest)
  const [heading, words] = over
    ? ['This is no longer shared', 'The link was revoked, or its time is over.']
    : guest
      ? ['This link leads nowhere', 'It never did, or what it led to was deleted.']
      : ['There is nothing here', 'This conversation does not exist, or it belongs to somebody else.']
  return (
    <section class="empty" role="status">
      <h2>{heading}</h2>
      <p>{words}</p>
      <p>
        <a href="/">{guest ? 'Begin a conversation of your own' : 'Begin a new conversation'}</a>
      </p>
      {!guest && (
        <p>
          <SignIn page={page} />
        </p>
      )}
    </section>
  )
}

/** Tells a screen reader that an answer began and how it ended, and not every word in between. */
function Announcer({ page }: { page: Page }) {
  const words = useStore(page.store, (state) => {
    const last = state.conversation?.messages.at(-1)
    const stopping = last !== undefined && state.stopping !== null && state.stopping === last.stream
    return announcement(last, last ? logOf(state, last) : null, stopping)
  })
  return (
    <p class="sr-only" aria-live="polite">
      {words}
    </p>
  )
}
