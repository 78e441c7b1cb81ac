import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { Icon } from './icons'

interface Props {
  readonly title: string
  readonly close: () => void
  readonly children: ComponentChildren
}

/** The browser's own dialog: it keeps the focus inside, and gives it back; Escape and a click beside it close it. */
export function Dialog({ title, close, children }: Props) {
  const heading = useId()
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard has Escape
    <dialog
      class="dialog"
      aria-labelledby={heading}
      ref={open}
      onClose={close}
      onClick={(event) => event.target === event.currentTarget && event.currentTarget.close()}
    >
      <div class="paper">
        <header>
          <h2 id={heading}>{title}</h2>
          <button type="button" class="tool" title="Close" onClick={close}>
            <Icon name="close" />
            <span class="sr-only">Close</span>
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

function open(dialog: HTMLDialogElement | null): void {
  if (dialog && !dialog.open) dialog.showModal()
}
