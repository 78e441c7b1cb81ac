/** Whether the text that this page shows is the server's, to the character. */

import { formatPosition } from '../stream/position'
import type { Api, Message } from './api'
import { logOf, type State, shown } from './state'

export interface Proof {
  readonly same: boolean
  /** The SHA-256 of what this page shows, in hexadecimal digits: two people may compare theirs. */
  readonly sha256: string
}

/** Compare what is shown of an answer now, be it complete or still growing. Rejects with ApiError. */
export async function prove(state: State, api: Api, message: Message): Promise<Proof> {
  if (!message.stream) throw new Error('only answers have a stream')
  const log = logOf(state, message)
  const { text } = shown(message, log)
  const position = log?.epoch ? formatPosition({ epoch: log.epoch, index: log.next }) : null
  const [own, theirs] = await Promise.all([digest(text), api.digest(message.stream, position)])
  return { same: own === theirs.sha256, sha256: own }
}

/** The browser's own digests exist only on https and localhost. */
async function digest(text: string): Promise<string> {
  const [{ sha256 }, { bytesToHex, utf8ToBytes }] = await Promise.all([
    import('@noble/hashes/sha2.js'),
    import('@noble/hashes/utils.js'),
  ])
  return bytesToHex(sha256(utf8ToBytes(text)))
}
