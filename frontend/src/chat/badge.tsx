import type { Link } from '../stream'
import type { Page } from './page'
import { useStore } from './use-store'

const WORDS: Record<Link | 'resumed', string> = {
  connecting: 'Connecting',
  live: 'Live',
  resumed: 'Picked up where you left off',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  shut: 'Not shared',
}

/** Says quietly whether the page hears the server. */
export function Badge({ page }: { page: Page }) {
  const link = useStore(page.store, (state) => (state.link === 'live' && state.resumed ? 'resumed' : state.link))
  return (
    <span class="badge" data-link={link} role="status">
      {WORDS[link]}
    </span>
  )
}
