import { Badge } from './badge'
import { Icon } from './icons'
import type { Page } from './page'
import { isDiscussed, mustSignIn, unread } from './state'
import { useStore } from './use-store'

/** Above the conversation: its name, who else is there, and whether the page hears the server. */
export function Header({ page }: { page: Page }) {
  const title = useStore(page.store, (state) => state.conversation?.title ?? '')
  const guest = useStore(page.store, (state) => state.guest)
  const open = useStore(page.store, (state) => state.sidebarOpen)
  const there = useStore(
    page.store,
    (state) => state.reading === 'ready' && !(mustSignIn(state) && !state.conversation),
  )
  return (
    <header class="header">
      {!guest && (
        <button
          type="button"
          class="tool menu"
          aria-controls="sidebar"
          aria-expanded={open}
          onClick={() => page.store.set({ sidebarOpen: !open })}
        >
          <Icon name="menu" />
          <span class="sr-only">Conversations</span>
        </button>
      )}
      <h1 class="title" dir="auto">
        {title || 'Rejoinder'}
      </h1>
      <Viewers page={page} />
      <Badge page={page} />
      {there && <Tools page={page} />}
    </header>
  )
}

/** How many watch through links. */
function Viewers({ page }: { page: Page }) {
  const viewers = useStore(page.store, (state) => state.viewers)
  if (viewers === 0) return null
  return (
    <span class="viewers" role="status">
      <Icon name="eye" />
      <span>
        {viewers}
        <span class="words"> watching</span>
      </span>
    </span>
  )
}

function Tools({ page }: { page: Page }) {
  const guest = useStore(page.store, (state) => state.guest)
  const shared = useStore(page.store, (state) => (state.conversation?.shares ?? []).length > 0)
  const discussed = useStore(page.store, isDiscussed)
  const discussing = useStore(page.store, (state) => state.discussing)
  const waiting = useStore(page.store, unread)
  return (
    <span class="tools">
      {discussed && (
        <button
          type="button"
          class="tool talk"
          title="Discussion"
          aria-expanded={discussing}
          onClick={() => page.discussion.toggle()}
        >
          <Icon name="talk" />
          <span class="sr-only">Discussion</span>
          {waiting > 0 && (
            <span class="unread">
              {waiting}
              <span class="sr-only"> new</span>
            </span>
          )}
        </button>
      )}
      {!guest && (
        <>
          <button
            type="button"
            class="tool"
            title="Share"
            data-on={shared}
            onClick={() => page.store.set({ dialog: 'share', notice: null })}
          >
            <Icon name="share" />
            <span class="sr-only">Share</span>
          </button>
          <button
            type="button"
            class="tool"
            title="This conversation"
            onClick={() => page.store.set({ dialog: 'conversation', notice: null })}
          >
            <Icon name="more" />
            <span class="sr-only">This conversation</span>
          </button>
        </>
      )}
    </span>
  )
}
