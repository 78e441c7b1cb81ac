import type { Page } from './page'
import { useStore } from './use-store'

/** Under which name one asks and remarks. It is kept in this browser. */
export function NameField({ page }: { page: Page }) {
  const name = useStore(page.store, (state) => state.name)
  return (
    <label class="name-field">
      <span>As</span>
      <input
        aria-label="Your name"
        placeholder="a guest"
        value={name}
        maxLength={40}
        autoComplete="nickname"
        dir="auto"
        onInput={(event) => page.rename(event.currentTarget.value)}
      />
    </label>
  )
}
