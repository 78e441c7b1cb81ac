import { Beside } from './beside'
import { Composer } from './composer'
import { ConversationView } from './conversation'
import { ConversationDialog } from './conversation-dialog'
import { EraseDialog } from './erase-dialog'
import { Header } from './header'
import type { Page } from './page'
import { ShareDialog } from './share-dialog'
import { Sidebar } from './sidebar'
import { AboutMarks } from './speaker'
import { isDiscussed } from './state'
import { useStore } from './use-store'

export function App({ page }: { page: Page }) {
  const guest = useStore(page.store, (state) => state.guest)
  const dialog = useStore(page.store, (state) => state.dialog)
  const discussing = useStore(page.store, (state) => state.discussing && isDiscussed(state))
  return (
    <div class="app" data-guest={guest} data-beside={discussing}>
      {!guest && <Sidebar page={page} />}
      <div class="room">
        <Header page={page} />
        <ConversationView page={page} />
        <section class="foot" aria-label="Write">
          <Notice page={page} />
          <Composer page={page} />
        </section>
      </div>
      {discussing && <Beside page={page} />}
      <AboutMarks />
      {dialog === 'share' && <ShareDialog page={page} />}
      {dialog === 'conversation' && <ConversationDialog page={page} />}
      {dialog === 'erase' && <EraseDialog page={page} />}
    </div>
  )
}

/** What could not be done, or can be undone. */
function Notice({ page }: { page: Page }) {
  const notice = useStore(page.store, (state) => state.notice)
  const dialog = useStore(page.store, (state) => state.dialog !== null) // which shows it itself
  const undo = useStore(page.store, (state) => state.undo)
  const takeBack = async (id: string) => {
    if (await page.library.undo()) page.visit(id)
  }
  return (
    <>
      {notice && !dialog && (
        <p class="notice bad" role="alert">
          {notice}
          <button type="button" class="plain" onClick={() => page.store.set({ notice: null })}>
            Dismiss
          </button>
        </p>
      )}
      {undo && (
        <p class="notice" role="status">
          <span>
            <bdi>“{undo.title || 'New conversation'}”</bdi> was deleted.
          </span>
          <button type="button" class="plain undo" ref={focus} onClick={() => void takeBack(undo.id)}>
            Undo
          </button>
        </p>
      )}
    </>
  )
}

/** What was pressed is gone with the conversation: the focus goes to what can be done next. */
function focus(button: HTMLElement | null): void {
  button?.focus()
}
