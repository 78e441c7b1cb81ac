import type { Page } from './page'
import { useStore } from './use-store'

/** Under which name one asks and remarks. It is kept in this browser. */
export function NameField({ page }: { page: Page }) {
  const name = useStore(page.store, (state) => state.name)
  const guest = useStore(page.store, (state) => state.guest)
  return (
    <label class="name-field">
      <span>As</span>
      <input
        aria-label="Your name"
        placeholder={guest ? 'a guest' : 'the owner'}
        value={name}
        maxLength={40}
        autoComplete="nickname"
        dir="auto"
        onInput={(event) => page.rename(event.currentTarget.value)}
      />
    </label>
  )
}
