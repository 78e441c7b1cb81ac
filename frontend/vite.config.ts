import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const BUDGET = 60 // KiB, gzip: all that the first visit loads
const SERVER = process.env['REJOINDER_URL'] ?? 'http://127.0.0.1:8000' // for `npm run dev`

/** Prints what the first visit loads, and fails the build where it is too much. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    writeBundle(_options, bundle) {
      const sizes = Object.values(bundle).map((file) => ({
        name: file.fileName,
        size: gzipSync(file.type === 'chunk' ? file.code : file.source).length / 1024,
      }))
      const total = sizes.reduce((sum, file) => sum + file.size, 0)
      const listed = sizes.map((file) => `${file.name} ${file.size.toFixed(1)}`).join(', ')
      this.info(`first visit: ${total.toFixed(1)} of ${BUDGET} KiB gzip (${listed})`)
      if (total > BUDGET) this.error(`The first visit loads ${total.toFixed(1)} KiB, more than ${BUDGET}.`)
    },
  }
}

export default defineConfig({
  plugins: [budget()],
  build: {
    target: 'es2022',
    // The page is served under a policy without inline scripts, styles or data: everything is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': { target: SERVER, ws: true } } },
  test: {
    setupFiles: 'tests/support/setup.ts',
    include: ['tests/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    pool: 'threads',
  },
})
