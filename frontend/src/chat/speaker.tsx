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

/** The mark, beside the name: apart from it, so that no name can have one in it. */
export function Mark({ speaker }: { speaker: Speaker }) {
  if (speaker.mark === '') return null
  return (
    <span class="mark" title="A guest is known by this mark here, whatever the name">
      {speaker.mark}
    </span>
  )
}
