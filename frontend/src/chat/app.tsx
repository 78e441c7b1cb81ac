import { Badge } from './badge'
import { Composer } from './composer'
import { ConversationView } from './conversation'
import { Icon } from './icons'
import type { Page } from './page'
import { Sidebar } from './sidebar'
import { useStore } from './use-store'

export function App({ page }: { page: Page }) {
  return (
    <>
      <Sidebar page={page} />
      <div class="room">
        <Header page={page} />
        <ConversationView page={page} />
        <div class="foot">
          <Notice page={page} />
          <Composer page={page} />
        </div>
      </div>
    </>
  )
}

function Header({ page }: { page: Page }) {
  const title = useStore(page.store, (state) => state.conversation?.title ?? '')
  const open = useStore(page.store, (state) => state.sidebarOpen)
  return (
    <header class="header">
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
      <p class="title" dir="auto">
        {title || 'Rejoinder'}
      </p>
      <Badge page={page} />
    </header>
  )
}

/** Something that was asked for and could not be done. */
function Notice({ page }: { page: Page }) {
  const notice = useStore(page.store, (state) => state.notice)
  if (!notice) return null
  return (
    <p class="notice" role="alert">
      {notice}
      <button type="button" class="plain" onClick={() => page.store.set({ notice: null })}>
        Dismiss
      </button>
    </p>
  )
}
