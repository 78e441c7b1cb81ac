/** Puts text on the clipboard, also where the page was opened by a plain http address, as in a home network. */

/** Returns whether it is there. */
export async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyByHand(text) // there is no clipboard on http, and some browsers refuse it
  }
}

/** As one did before there was a clipboard: select it, and let the browser copy what is selected. */
function copyByHand(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  area.className = 'sr-only'
  area.readOnly = true
  const focused = document.activeElement
  // What lies behind a modal dialog cannot be selected.
  const place = focused?.closest('dialog') ?? document.body
  place.append(area)
  area.select()
  try {
    return document.activeElement === area && document.execCommand('copy')
  } finally {
    area.remove()
    if (focused instanceof HTMLElement) focused.focus()
  }
}
