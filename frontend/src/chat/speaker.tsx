import type { Author } from '../stream'

const MARK = 6 // characters: nobody finds an identity whose mark is another's by trying

/** Who said something, as this reader would say it. */
export interface Speaker {
  readonly name: string
  /** What goes with a guest's name. Anybody may take any name, but not the mark that another one has here. */
  readonly mark: string
  readonly mine: boolean
}

/** Without an author it was the owner. */
export function speakerOf(author: Author | null, guest: boolean, me: string): Speaker {
  const mine = author === null ? !guest : author.tag === me
  if (author === null || author.owner) return { name: author?.name || 'The owner', mark: '', mine }
  return { name: author.name || 'A guest', mark: author.tag.slice(0, MARK), mine }
}

/** The mark, beside the name: apart from it, so that no name can have one in it. Pressed, it says what it is. */
export function Mark({ speaker }: { speaker: Speaker }) {
  if (speaker.mark === '') return null
  return (
    <button type="button" class="mark" aria-label={`Mark ${speaker.mark}`} popovertarget={ABOUT}>
      {speaker.mark}
    </button>
  )
}

const ABOUT = 'about-marks'

/** What all marks say: once in the page, and shown at the one that was pressed. */
export function AboutMarks() {
  return (
    <p
      class="about-marks"
      id={ABOUT}
      popover="auto"
      role="note"
      tabIndex={-1} // whoever does not see it is led to it, and back when it closes
      // biome-ignore lint/a11y/noAutofocus: when it is shown, that is, not when the page is
      autoFocus
    >
      Anybody may take any name here, but nobody the mark of another: all that has this one was said by the same guest.
    </p>
  )
}
