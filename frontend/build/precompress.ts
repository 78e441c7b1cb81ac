/**
 * Lays a compressed copy beside each file of the page, as `index-BxK3c9Qz.js.br` and `.gz`: the web server sends what the
 * browser takes, and compresses nothing itself.
 *
 * Rule: only what never changes under its name. The document is written anew for each visitor.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const HASHED = 'assets/' // where Vite puts what has the hash of its content in its name
const FONT = /\.woff2?$/ // compressed already
const WORTH = 0.95 // of its size, at most; else the copy costs a place on the disk and saves nothing

export function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    writeBundle({ dir = '' }, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (!name.startsWith(HASHED) || FONT.test(name)) continue
        const content = Buffer.from(file.type === 'chunk' ? file.code : file.source)
        const copies = { br: brotliCompressSync(content, best(content)), gz: gzipSync(content, { level: 9 }) }
        for (const [suffix, copy] of Object.entries(copies)) {
          if (copy.length <= WORTH * content.length) writeFileSync(join(dir, `${name}.${suffix}`), copy)
        }
      }
    },
  }
}

function best(content: Buffer) {
  return {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  }
}
