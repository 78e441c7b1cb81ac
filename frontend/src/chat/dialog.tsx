import type { ComponentChildren } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { Icon } from './icons'
import type { Page } from './page'
import { useStore } from './use-store'

interface Props {
  readonly page: Page
  readonly title: string
  readonly children: ComponentChildren
}

/** The browser's own dialog: it keeps the focus inside, and gives it back; Escape and a click beside it close it. */
export function Dialog({ page, title, children }: Props) {
  const heading = useId()
  const notice = useStore(page.store, (state) => state.notice)
  const pressedBeside = useRef(false)
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Escape
    <dialog
      class="dialog"
      aria-labelledby={heading}
      ref={open}
      onClose={() => page.store.set({ dialog: null, notice: null })}
      onPointerDown={(event) => {
        pressedBeside.current = event.target === event.currentTarget
      }}
      // Who selects words and lets go beside them does not mean to leave.
      onClick={(event) => event.target === event.currentTarget && pressedBeside.current && event.currentTarget.close()}
    >
      <div class="paper">
        <header>
          <h2 id={heading}>{title}</h2>
          <button type="button" class="tool" title="Close" onClick={closeDialog}>
            <Icon name="close" />
            <span class="sr-only">Close</span>
          </button>
        </header>
        {children}
        {notice && (
          <p class="problem" role="alert">
            {notice}
          </p>
        )}
      </div>
    </dialog>
  )
}

/** Close the dialog around a button, as the browser does: the focus goes back to where it was. */
export function closeDialog(event: { readonly currentTarget: HTMLElement }): void {
  event.currentTarget.closest('dialog')?.close()
}

function open(dialog: HTMLDialogElement | null): void {
  if (dialog && !dialog.open) dialog.showModal()
}
