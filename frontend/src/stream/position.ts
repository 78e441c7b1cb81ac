/** Where a reader stands in a stream: the incarnation of the text, and the next index that it needs. */

export interface Position {
  readonly epoch: string
  readonly index: number
}

/** As it is sent: `epoch:index`. */
export function formatPosition(position: Position): string {
  return `${position.epoch}:${position.index}`
}
