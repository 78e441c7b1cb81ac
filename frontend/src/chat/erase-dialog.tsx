import { closeDialog, Dialog } from './dialog'
import type { Page } from './page'
import { useStore } from './use-store'

/** Asks once more before everything of a person's is removed. */
export function EraseDialog({ page }: { page: Page }) {
  const account = useStore(page.store, (state) => state.account.account !== null)
  return (
    <Dialog page={page} title="Delete everything of mine?">
      <p>
        {account && 'Your account here, and all'}
        {!account && 'All'} your conversations, their links and discussions go at once and for good, and so do your
        remarks in the conversations of others. Questions that you asked there stay, without your name.
      </p>
      <p class="choices">
        <button type="button" class="plain" onClick={closeDialog}>
          Keep everything
        </button>
        <button type="button" class="danger" onClick={() => void page.erase()}>
          Delete everything
        </button>
      </p>
    </Dialog>
  )
}
