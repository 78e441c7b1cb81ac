/** Builds the page with `naive.ts` in place of `blocks.ts`, for `make bench-page`. It is never served to anyone else. */

import { fileURLToPath } from 'node:url'
import { mergeConfig, type Plugin } from 'vite'
import page from '../vite.config.ts'

const NAIVE = fileURLToPath(new URL('./naive.ts', import.meta.url))

const swap: Plugin = {
  name: 'naive',
  enforce: 'pre',
  resolveId: (name) => (name === './blocks' ? NAIVE : null),
}

export default mergeConfig(page, { plugins: [swap], build: { emptyOutDir: true } })
