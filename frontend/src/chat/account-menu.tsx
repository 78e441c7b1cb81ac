import { Icon } from './icons'
import { signInAddress } from './membership'
import type { Page } from './page'
import { useStore } from './use-store'

/** At the foot of the list: to sign in, or who has and a way out. Nothing where there are no accounts. */
export function AccountMenu({ page }: { page: Page }) {
  const account = useStore(page.store, (state) => state.account.account)
  if (account === null) return <SignIn page={page} />
  return (
    <p class="account">
      <Icon name="person" />
      <span class="name">
        <bdi>{account.name || account.email || 'Signed in'}</bdi>
        {account.name && account.email && <small dir="auto">{account.email}</small>}
      </span>
      <button type="button" class="plain" onClick={() => void page.signOut()}>
        Sign out
      </button>
    </p>
  )
}

/** In the place of what one would write in. */
export function MembersOnly({ page }: { page: Page }) {
  return (
    <p class="composer watching">
      <span>Only people with an account write here.</span> <SignIn page={page} />
    </p>
  )
}

interface SignInProps {
  readonly page: Page
  /** It is the one thing to do here. */
  readonly primary?: boolean
}

/** A link to the login service, and back to this address. */
export function SignIn({ page, primary = false }: SignInProps) {
  const name = useStore(page.store, (state) => state.account.sign_in?.name)
  const address = useStore(page.store, (state) => signInAddress(state, page.address(state.at)))
  if (address === null) return null
  return (
    <a class={primary ? 'sign-in primary' : 'sign-in'} href={address}>
      <Icon name="person" />
      <span>Sign in with {name}</span>
    </a>
  )
}
