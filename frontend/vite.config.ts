import { gzipSync } from 'node:zlib'
import type { Plugin, Rolldown } from 'vite'
import { defineConfig } from 'vitest/config'
import { precompress } from './build/precompress'

const BUDGET = 60 // KiB, gzip: all that the first visit loads
const SERVER = process.env['REJOINDER_URL'] ?? 'http://127.0.0.1:8000' // for `npm run dev`

type Output = Rolldown.OutputBundle[string]

/** Prints what the first visit loads and what comes on demand, and fails the build where the first is too much. */
function budget(): Plugin {
  return {
    name: 'budget',
    apply: 'build',
    writeBundle(_options, bundle) {
      const first = firstVisit(bundle)
      const later = Object.keys(bundle).filter((name) => !first.has(name))
      const total = sum(bundle, [...first])
      this.info(`first visit: ${total.toFixed(1)} of ${BUDGET} KiB gzip (${listed(bundle, [...first])})`)
      this.info(`on demand: ${sum(bundle, later).toFixed(1)} KiB gzip in ${later.length} files`)
      if (total > BUDGET) this.error(`The first visit loads ${total.toFixed(1)} KiB, more than ${BUDGET}.`)
    },
  }
}

/** The document, and all files that it names or that those files cannot do without. */
function firstVisit(bundle: Rolldown.OutputBundle): Set<string> {
  const first = new Set<string>()
  const add = (name: string) => {
    const file = bundle[name]
    if (!file || first.has(name)) return
    first.add(name)
    for (const other of needed(file, bundle)) add(other)
  }
  add('index.html')
  return first
}

function needed(file: Output, bundle: Rolldown.OutputBundle): string[] {
  if (file.type === 'chunk') return [...file.imports, ...(file.viteMetadata?.importedCss ?? [])]
  return file.fileName.endsWith('.html') ? Object.keys(bundle).filter((name) => String(file.source).includes(name)) : []
}

function listed(bundle: Rolldown.OutputBundle, names: string[]): string {
  return names.map((name) => `${name} ${sum(bundle, [name]).toFixed(1)}`).join(', ')
}

/** KiB, gzip. */
function sum(bundle: Rolldown.OutputBundle, names: string[]): number {
  const contents = names.map((name) => bundle[name]).map((file) => (file?.type === 'chunk' ? file.code : file?.source))
  return contents.reduce((total, content) => total + gzipSync(content ?? '').length / 1024, 0)
}

export default defineConfig({
  plugins: [budget(), precompress()],
  build: {
    target: 'es2022',
    // The page is served under a policy without inline scripts, styles or data: everything is a file of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ['index.html', 'operations.html'] },
  },
  server: { proxy: { '/api': { target: SERVER, ws: true } } },
  test: {
    setupFiles: 'tests/support/setup.ts',
    include: ['tests/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    pool: 'threads',
  },
})
