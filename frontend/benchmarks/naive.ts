/** What one would write first: the whole text is read and drawn anew whenever it has grown. */

import { marked, type Token } from 'marked'

export class Blocks {
  of(text: string): readonly Token[] {
    return marked.lexer(text)
  }
}
