import { describe, expect, test } from 'vitest'
import { sends } from '../../src/chat/composing'

const ENTER = { key: 'Enter', shiftKey: false, ctrlKey: false, metaKey: false, isComposing: false, keyCode: 13 }

function key(with_: Partial<typeof ENTER>, byFinger: boolean): boolean {
  return sends({ ...ENTER, ...with_ } as KeyboardEvent, byFinger)
}

describe('Enter', () => {
  test('sends, and with Shift begins a new line', () => {
    expect(key({}, false)).toBe(true)
    expect(key({ shiftKey: true }, false)).toBe(false)
    expect(key({ key: 'a' }, false)).toBe(false)
  })

  test('begins a new line under fingers, who have no Shift to hold; a keyboard beside the screen sends with Ctrl', () => {
    expect(key({}, true)).toBe(false)
    expect(key({ ctrlKey: true }, true)).toBe(true)
    expect(key({ metaKey: true }, true)).toBe(true)
  })

  test('that ends a composed character does nothing else', () => {
    expect(key({ isComposing: true }, false)).toBe(false)
    expect(key({ keyCode: 229, metaKey: true }, true)).toBe(false)
  })
})
