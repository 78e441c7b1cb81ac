/**
 * What a person has typed and not sent yet, for each conversation of this tab. A send that failed keeps its key here,
 * so that sending the same words again, after a refresh too, can never make two messages of one.
 */

import type { KeyValueStorage } from '../stream/environment'

interface Draft {
  readonly text: string
  readonly key: string | null
}

const PREFIX = 'rejoinder:draft:'
const NONE: Draft = { text: '', key: null }

export class Drafts {
  readonly #storage: KeyValueStorage | null
  readonly #newKey: () => string
  readonly #drafts = new Map<string, Draft>()

  constructor(storage: KeyValueStorage | null, newKey: () => string) {
    this.#storage = storage
    this.#newKey = newKey
  }

  /** `at` is a conversation, or null for one that has not begun. */
  text(at: string | null): string {
    return this.#draft(at).text
  }

  type(at: string | null, text: string): void {
    if (text !== this.#draft(at).text) this.#keep(at, { text, key: null })
  }

  /** The key under which these words are sent; the same until they change. */
  key(at: string | null): string {
    const { text, key } = this.#draft(at)
    const kept = key ?? this.#newKey()
    if (!key) this.#keep(at, { text, key: kept })
    return kept
  }

  /** The conversation has begun: its draft goes along. */
  move(from: string | null, to: string): void {
    this.#keep(to, this.#draft(from))
    this.clear(from)
  }

  clear(at: string | null): void {
    this.#drafts.delete(name(at))
    this.#storage?.removeItem(name(at))
  }

  #draft(at: string | null): Draft {
    const kept = this.#drafts.get(name(at))
    if (kept) return kept
    return parse(this.#storage?.getItem(name(at)) ?? null)
  }

  #keep(at: string | null, draft: Draft): void {
    this.#drafts.set(name(at), draft)
    try {
      this.#storage?.setItem(name(at), JSON.stringify(draft))
    } catch {
      // A full storage: the words are still in this page, which is what its person looks at.
    }
  }
}

/** Where the words of a remark beside this conversation are kept. */
export function besideOf(at: string | null): string {
  return `beside:${at ?? 'new'}`
}

function name(at: string | null): string {
  return PREFIX + (at ?? 'new')
}

function parse(value: string | null): Draft {
  if (value === null) return NONE
  try {
    const draft = JSON.parse(value)
    return typeof draft?.text === 'string' ? { text: draft.text, key: draft.key ?? null } : NONE
  } catch {
    return NONE
  }
}
