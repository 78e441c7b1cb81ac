import type { Link } from '../stream'
import type { Page } from './page'
import { useStore } from './use-store'

const WORDS: Record<Link, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  shut: 'Not shared',
}

/** Says quietly whether the page hears the server. */
export function Badge({ page }: { page: Page }) {
  const link = useStore(page.store, (state) => state.link)
  return (
    <span class="badge" data-link={link} role="status">
      {WORDS[link]}
    </span>
  )
}
