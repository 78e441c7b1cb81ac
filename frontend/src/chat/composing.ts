/** What a key means to whoever types. */

/** A key that belongs to an input method which composes a character. Safari tells its last one only by this old code. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229
}

/** Whether it sends what was typed. Under fingers alone it begins a new line: no other key of theirs would. */
export function sends(event: KeyboardEvent, byFinger = isByFinger()): boolean {
  if (event.key !== 'Enter' || event.shiftKey || isComposing(event)) return false
  return !byFinger || event.ctrlKey || event.metaKey
}

function isByFinger(): boolean {
  return matchMedia('(hover: none) and (pointer: coarse)').matches
}
