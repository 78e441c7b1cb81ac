/** Tells what each piece of a code is. Nothing of it is loaded before the first code is finished. */

import { Store } from '../store'
import { type Language, languageOf, loadGrammars } from './languages'
import { OnDemand, type Outcome } from './on-demand'
import { ifReachable } from './reachable'

/** Characters; above it, reading and drawing all pieces takes longer than a frame should. */
const LONGEST = 20_000

/** A piece of code and the class of what it is, as `is-keyword`; it may have pieces of its own. */
export type Piece = string | { readonly kind: string; readonly pieces: readonly Piece[] }
export type Highlight = (code: string) => readonly Piece[]

const NOTHING: Outcome<readonly Piece[]> = new Store({ value: null }, () => {})

export class Highlighter {
  readonly #load: (language: Language) => Promise<Highlight>
  readonly #languages = new Map<Language, OnDemand<Highlight>>()

  constructor(load: (language: Language) => Promise<Highlight>) {
    this.#load = load
  }

  /** The pieces of this code, which are the whole of it; never any where the language is unknown or the code too long. */
  pieces(code: string, name: string): Outcome<readonly Piece[]> {
    const language = languageOf(name)
    if (language === null || code.length > LONGEST) return NOTHING
    return this.#on(language).ask((highlight) => highlight(code))
  }

  #on(language: Language): OnDemand<Highlight> {
    const known = this.#languages.get(language)
    if (known) return known
    const made = new OnDemand(() => this.#load(language))
    this.#languages.set(language, made)
    return made
  }
}

/** One for the page, so that a language is loaded once. */
export const highlighter = new Highlighter((language) => ifReachable(() => loadHighlight(language)))

export async function loadHighlight(language: Language): Promise<Highlight> {
  const [{ reader }, grammars] = await Promise.all([import('./grammar'), loadGrammars(language)])
  return reader(language, grammars)
}
