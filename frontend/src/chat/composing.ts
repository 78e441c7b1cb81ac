/** A key that belongs to an input method which composes a character. Safari tells its last one only by this old code. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}
