// @vitest-environment happy-dom
import { render } from 'preact'
import { describe, expect, test } from 'vitest'
import { Mark, speakerOf } from '../../src/chat/speaker'

const GUEST = { name: 'Bob', tag: '0123456789ab', owner: false }
const OWNER = { name: '', tag: 'ba9876543210', owner: true }

/** All that is drawn of who says something. */
function drawn(author: typeof GUEST | null): string {
  const speaker = speakerOf(author, true, 'another tag')
  const place = document.createElement('div')
  render(<Mark speaker={speaker} />, place)
  return `${speaker.name}|${place.textContent}|${speaker.mine}`
}

describe('who says something', () => {
  test('a guest is shown with a mark, and the owner is the only one without', () => {
    expect(drawn(GUEST)).toBe('Bob|012345|false')
    expect(drawn({ ...GUEST, name: '' })).toBe('A guest|012345|false')
    expect(drawn(OWNER)).toBe('The owner||false')
    expect(drawn(null)).toBe('The owner||false')
  })

  test.each(['The owner', 'You', 'Bob', 'A guest', 'Вob'])('nobody looks like another one by the name %s', (name) => {
    const eve = drawn({ name, tag: 'eeeeeeeeeeee', owner: false })
    const others = [null, OWNER, GUEST, { ...GUEST, name }, { ...OWNER, name }, { ...GUEST, name: '' }].map(drawn)
    expect(others).not.toContain(eve)
    expect(eve).toContain('false')
  })

  test('who reads is known by the tag, not by a name', () => {
    expect(speakerOf(GUEST, true, GUEST.tag).mine).toBe(true)
    expect(speakerOf({ ...GUEST, name: 'You' }, true, 'another tag').mine).toBe(false)
    expect(speakerOf(null, false, OWNER.tag).mine).toBe(true)
  })

  test('who erased everything has neither name nor mark', () => {
    expect(drawn({ name: '', tag: '', owner: false })).toBe('A guest||false')
  })
})
