import { useState } from 'preact/hooks'
import { AccountMenu } from './account-menu'
import type { Summary } from './api'
import { isComposing } from './composing'
import { byDay } from './days'
import { Icon } from './icons'
import { addressOf, type Page } from './page'
import { useStore } from './use-store'

/** The conversations: open, begin, rename, delete. */
export function Sidebar({ page }: { page: Page }) {
  const { store } = page
  const list = useStore(store, (state) => state.list)
  const before = useStore(store, (state) => state.before)
  const listed = useStore(store, (state) => state.listed)
  const at = useStore(store, (state) => state.at)
  const search = useStore(store, (state) => state.search)
  const sidebarOpen = useStore(store, (state) => state.sidebarOpen)
  const close = () => page.store.set({ sidebarOpen: false })
  return (
    <>
      {sidebarOpen && <button type="button" class="shade" aria-label="Close the list" onClick={close} />}
      <nav
        class="sidebar"
        id="sidebar"
        aria-label="Conversations"
        data-open={sidebarOpen}
        onKeyDown={(event) => event.key === 'Escape' && close()}
      >
        <Visit page={page} to={null} class="new" current={at === null}>
          <Icon name="plus" />
          New conversation
        </Visit>
        {(list.length > 0 || search !== '') && (
          <input
            type="search"
            class="search"
            dir="auto"
            aria-label="Search conversations"
            placeholder="Search"
            value={search}
            maxLength={200}
            onInput={(event) => page.library.search(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== 'Escape' || search === '' || isComposing(event)) return
              event.stopPropagation() // of the list, only what was looked for is given up
              page.library.search('')
            }}
          />
        )}
        {byDay(list, new Date()).map((day) => (
          <section key={day.name} class="day">
            <h2>{day.name}</h2>
            <ul class="conversations">
              {day.items.map((item) => (
                <Entry key={item.id} page={page} item={item} current={item.id === at} />
              ))}
            </ul>
          </section>
        ))}
        {listed === 'ready' && list.length === 0 && (
          <p class="hint" role="status">
            {search === '' ? 'What you ask is kept here.' : `Nothing found for “${search}”.`}
          </p>
        )}
        {listed === 'failed' && (
          <button type="button" class="plain" onClick={() => void page.library.refresh()}>
            The list could not be read. Try again
          </button>
        )}
        {before !== null && (
          <button type="button" class="plain" onClick={() => void page.library.more()}>
            Older conversations
          </button>
        )}
        <div class="mine">
          <AccountMenu page={page} />
          {list.length > 0 && (
            <button type="button" class="plain erase" onClick={() => page.store.set({ dialog: 'erase', notice: null })}>
              Delete everything of mine
            </button>
          )}
        </div>
      </nav>
    </>
  )
}

interface EntryProps {
  readonly page: Page
  readonly item: Summary
  readonly current: boolean
}

function Entry({ page, item, current }: EntryProps) {
  const [renaming, setRenaming] = useState(false)
  const title = item.title || 'New conversation'
  const done = () => setRenaming(false)
  if (renaming) {
    const rename = (words: string) => {
      done()
      void page.library.rename(item.id, words)
    }
    return <Renaming title={item.title} rename={rename} cancel={done} />
  }
  return (
    <li class="entry">
      <Visit page={page} to={item.id} current={current}>
        {item.generating && <span class="writing" role="img" aria-label="An answer is being written" />}
        <span class="title" dir="auto">
          {title}
        </span>
      </Visit>
      <button
        type="button"
        class="tool"
        title="Rename"
        aria-label={`Rename “${title}”`}
        onClick={() => setRenaming(true)}
      >
        <Icon name="rename" />
      </button>
      <button
        type="button"
        class="tool"
        title="Delete"
        aria-label={`Delete “${title}”`}
        onClick={() => void page.chat.remove(item.id)}
      >
        <Icon name="remove" />
      </button>
    </li>
  )
}

function Renaming(props: { title: string; rename: (words: string) => void; cancel: () => void }) {
  return (
    <li class="entry">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          props.rename(String(new FormData(event.currentTarget).get('title')))
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || isComposing(event)) return
          event.stopPropagation() // the list stays
          props.cancel()
        }}
      >
        <input name="title" aria-label="New title" dir="auto" defaultValue={props.title} maxLength={200} ref={focus} />
        <button type="submit" class="plain">
          Save
        </button>
        <button type="button" class="tool" title="Keep the title" onClick={props.cancel}>
          <Icon name="close" />
          <span class="sr-only">Keep the title</span>
        </button>
      </form>
    </li>
  )
}

interface VisitProps {
  readonly page: Page
  readonly to: string | null
  readonly current: boolean
  readonly class?: string
  readonly children: preact.ComponentChildren
}

/** A real link, so that it can be opened in another tab; a plain click stays in this page. */
function Visit({ page, to, current, children, ...rest }: VisitProps) {
  const visit = (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    page.visit(to)
  }
  return (
    <a {...rest} href={addressOf(to)} aria-current={current ? 'page' : undefined} onClick={visit}>
      {children}
    </a>
  )
}

function focus(element: HTMLElement | null): void {
  element?.focus()
}
