// @vitest-environment happy-dom
import { readFileSync } from 'node:fs'
import { render } from 'preact'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { Colours } from '../../../src/chat/prose/code'
import { Highlighter, loadHighlight } from '../../../src/chat/prose/highlight'
import { languageOf } from '../../../src/chat/prose/languages'
import { Markdown } from '../../../src/chat/prose/markdown'

const PYTHON = 'def greet(name):\n    return f"Hello {name}"  # & goodbye'

let place: HTMLElement
beforeEach(() => {
  place = document.createElement('div')
})

function draw(text: string, whole = true, colours = new Highlighter(loadHighlight)): HTMLElement {
  render(
    <Colours.Provider value={colours}>
      <Markdown text={text} whole={whole} />
    </Colours.Provider>,
    place,
  )
  return place
}

function fenced(language: string, code = PYTHON): string {
  return `\`\`\`${language}\n${code}\n\`\`\``
}

async function coloured(): Promise<Element> {
  await vi.waitFor(() => expect(place.querySelector('code [class^="is-"]')).not.toBeNull(), { timeout: 10_000 })
  return place.querySelector('code') as Element
}

describe('a finished block of code', () => {
  test('gets colours, and keeps every character', async () => {
    expect(draw(fenced('python')).querySelector('code')?.innerHTML).not.toContain('<span')
    const code = await coloured()
    expect(code.textContent).toBe(PYTHON)
    expect(code.querySelector('.is-keyword')?.textContent).toBe('def')
    expect(code.querySelector('.is-comment')?.textContent).toBe('# & goodbye')
  })

  for (const [name, code, piece, text] of [
    ['py', 'import os', 'is-keyword', 'import'],
    ['tsx', 'const a = <b>{c}</b>', 'is-keyword', 'const'],
    ['C++', 'int main() {}', 'is-type', 'int'],
    ['yml', 'a: 1', 'is-attr', 'a:'],
    ['sh', 'echo "x"', 'is-string', '"x"'],
    ['html', '<script>let x</script>', 'is-keyword', 'let'],
  ] as const) {
    test(`of ${name}`, async () => {
      draw(fenced(name, code))
      expect((await coloured()).querySelector(`.${piece}`)?.textContent).toBe(text)
    })
  }

  test('is one in the middle of an answer that still grows, and one that the answer broke off in', async () => {
    draw(`${fenced('python')}\n\nAnd`, false)
    await coloured()
    draw(fenced('python').slice(0, -4))
    await coloured()
  })

  test('writes nothing but text, whatever the code is', async () => {
    const hostile = '<img src=x onerror=alert(1)><script>alert(1)</script>'
    draw(fenced('html', hostile))
    expect((await coloured()).textContent).toBe(hostile)
    expect(place.querySelectorAll('img, script')).toHaveLength(0)
  })
})

describe('what stays plain', () => {
  const asked: string[] = []
  const colours = new Highlighter(async (language) => {
    asked.push(language)
    return (code) => [code]
  })
  beforeEach(() => {
    asked.length = 0
  })

  test.each([
    ['a block that still grows', fenced('python').slice(0, -4), false],
    ['an unknown language', fenced('klingon'), true],
    ['a name that objects have', fenced('constructor'), true],
    ['no language', fenced(''), true],
    ['a very long block', fenced('python', 'x = 1\n'.repeat(5_000)), true],
  ])(
    '%s',
    (_name, text, whole) => {
      draw(text, whole, colours)
      expect(asked).toEqual([])
      expect(text).toContain(place.querySelector('code')?.textContent)
    },
    10_000,
  )
})

test('a language is loaded once, whatever there is of it', async () => {
  const load = vi.fn(async () => (code: string) => [{ kind: 'is-keyword', pieces: [code] }])
  draw(`${fenced('py')}\n\n${fenced('python')}`, true, new Highlighter(load))
  await coloured()
  expect(load).toHaveBeenCalledTimes(1)
})

test('names and aliases', () => {
  expect(['py', 'JS', 'ts', 'c++', 'yml', 'toml', 'klingon', '__proto__'].map(languageOf)).toEqual([
    ...['python', 'javascript', 'typescript', 'cpp', 'yaml', 'ini'],
    ...[null, null],
  ])
})

describe('the colours of code can be read', () => {
  const tokens = readFileSync('src/styles/tokens.css', 'utf8')
  const [light = '', dark = ''] = tokens.split('@media screen and (prefers-color-scheme: dark)')
  const roles = ['comment', 'keyword', 'string', 'number', 'name', 'type', 'added', 'removed']

  test.each([
    ['light', light],
    ['dark', dark],
  ])('in %s', (_name, values) => {
    const hexOf = (role: string) => {
      const name = new RegExp(`--color-${role}: var\\((--[\\w-]+)\\)`).exec(light)?.[1]
      return new RegExp(`${name}: (#[\\da-f]{6})`).exec(values)?.[1] ?? ''
    }
    for (const role of roles) expect(contrast(hexOf(role), hexOf('side')), role).toBeGreaterThan(4.5) // WCAG AA
  })
})

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (lighter + 0.05) / (darker + 0.05)
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
