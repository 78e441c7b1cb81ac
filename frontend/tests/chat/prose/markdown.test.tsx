// @vitest-environment happy-dom
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { marked } from 'marked'
import { render } from 'preact'
import { beforeEach, describe, expect, test } from 'vitest'
import { Blocks } from '../../../src/chat/prose/blocks'
import { decodeEntities } from '../../../src/chat/prose/entities'
import { Markdown } from '../../../src/chat/prose/markdown'
import { outline } from '../../../src/chat/prose/outline'

let place: HTMLElement
beforeEach(() => {
  place = document.createElement('div')
})

function draw(text: string, whole = true): HTMLElement {
  render(<Markdown text={text} whole={whole} />, place)
  return place.firstElementChild as HTMLElement
}

describe('what a model writes is never run', () => {
  const hostile = [
    '<img src=x onerror=alert(1)>',
    'before <script>alert(1)</script> after',
    '<svg/onload=alert(1)>',
    '[click](javascript:alert(1))',
    '[click](JaVaScRiPt:alert(1))',
    '[click](data:text/html,<script>alert(1)</script>)',
    '[click]( vbscript:x)',
    '<javascript:alert(1)>',
    '![x](javascript:alert(1))',
    '[click](/api/conversations)',
    '[a]: javascript:alert(1)\n\n[click][a]',
    '<a href="https://example.org">inline html</a>',
    '| <b>x</b> |\n|---|\n| <img onerror=x> |',
    '> <iframe src="https://example.org"></iframe>',
  ]
  for (const text of hostile) {
    test(JSON.stringify(text), () => {
      const prose = draw(text)
      expect(prose.querySelectorAll('img, script, svg, a, iframe, b')).toHaveLength(0)
      expect(prose.textContent).toMatch(/alert|click|inline html|x/)
    })
  }

  test('tags stay readable as they were written', () => {
    expect(draw('Use `<b>` or <b>this</b>.').textContent).toBe('Use <b> or <b>this</b>.')
  })

  test('an image is a link: what is shown here is not told to a stranger', () => {
    const prose = draw('![a cat](https://example.org/cat.png)')
    expect(prose.querySelector('img')).toBeNull()
    expect(prose.querySelector('a')?.getAttribute('href')).toBe('https://example.org/cat.png')
    expect(prose.textContent).toBe('a cat')
  })

  test('whatever is written, only elements of the list appear', () => {
    const allowed =
      'p,strong,em,del,code,pre,br,hr,a,ul,ol,li,blockquote,table,thead,tbody,tr,th,td,h3,h4,h5,h6,input,div,' +
      '.code > .about *' // the page's own line above a block of code
    const piece = fc.constantFrom(
      '<img onerror=x>',
      '[a](javascript:x)',
      '**',
      '`',
      '\n',
      '- ',
      '| ',
      '> ',
      '<p>',
      'x',
      '&lt;',
      '# ',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const prose = draw(pieces.join(''))
        for (const element of prose.querySelectorAll('*')) expect(element.matches(allowed)).toBe(true)
        for (const link of prose.querySelectorAll('a')) expect(link.getAttribute('href')).toMatch(/^(https?|mailto):/)
      }),
    )
  })
})

describe('what it draws', () => {
  const drawn: [string, string][] = [
    ['**bold** and *italic* and ~~gone~~', '<p><strong>bold</strong> and <em>italic</em> and <del>gone</del></p>'],
    ['# One\n\n#### Four', '<h3 data-depth="1">One</h3><h4 data-depth="4">Four</h4>'],
    ['- a\n- b', '<ul><li>a</li><li>b</li></ul>'],
    ['3. a\n4. b', '<ol start="3"><li>a</li><li>b</li></ol>'],
    ['> q', '<blockquote><p>q</p></blockquote>'],
    ['a  \nb', '<p>a<br>b</p>'],
    ['---', '<hr>'],
    ['AT&amp;T &#8364; `&amp;`', '<p>AT&amp;T € <code>&amp;amp;</code></p>'],
  ]
  for (const [text, html] of drawn)
    test(JSON.stringify(text), () => expect(draw(text).innerHTML.replace(/ dir="\w+"/g, '')).toBe(html))

  test('code keeps every character and names its language', () => {
    const pre = draw('```python title="x"\nif a < b:\n    print("&amp;")\n```').querySelector('pre')
    expect(pre?.textContent).toBe('if a < b:\n    print("&amp;")')
    expect(pre?.dataset['language']).toBe('python')
  })

  test('links lead outside, in a tab of their own', () => {
    const link = draw('[here](https://example.org/?a=1&b=2)').querySelector('a')
    expect(link?.getAttribute('href')).toBe('https://example.org/?a=1&b=2')
    expect(link?.rel).toBe('noopener noreferrer')
  })

  test('tables and tasks', () => {
    const prose = draw('| a | b |\n|:--|--:|\n| 1 | **2** |\n\n- [x] done\n- [ ] not')
    expect([...prose.querySelectorAll('td')].map((cell) => cell.className)).toEqual(['align-left', 'align-right'])
    expect([...prose.querySelectorAll('input')].map((box) => box.checked)).toEqual([true, false])
  })

  test('entities that mean nothing stay', () => {
    expect(decodeEntities('&nonsense; &#0; &#xD800; &#x1F642; &')).toBe('&nonsense; \ufffd \ufffd 🙂 &')
  })
})

describe('which way it reads', () => {
  const directions = (text: string) =>
    [...draw(text).querySelectorAll('[dir]')].map((element) => `${element.localName} ${element.getAttribute('dir')}`)

  test('what holds words is for the browser to decide', () => {
    expect(directions('# שלום\n\nHello `code`')).toEqual(['h3 auto', 'p auto', 'code ltr'])
  })

  test('what holds blocks goes by its first letter', () => {
    expect(directions('- مرحبا\n- two\n\n> - שלום')).toEqual(['ul rtl', 'blockquote rtl', 'ul rtl'])
    expect(directions('1. 🙂 (1) Hello مرحبا')).toEqual(['ol ltr'])
    expect(directions('| שם | b |\n|---|---|')).toEqual(['table rtl', 'th auto', 'th auto'])
  })

  test('code always reads from left to right', () => {
    expect(directions('```\nשלום\n```')).toEqual(['div ltr'])
  })
})

/** Each repeated, a block that is worth a seam. */
const LONG: Record<string, string> = {
  code: '```js\na()\n\n  b()\n',
  'code that ends': '```js\na()\n\n```\n',
  table: '| a | b |\n|---|:-:|\n| 1 | *2* |\n',
  'tight list': '- a *b*\n- `c`\n',
  'loose list': '- a\n\n- b\n',
  'sometimes loose list': '- a\n- b\n- c\n  - d\n- e\n\n- f\n- g\n\n  h\n',
  'numbered list': '3. a\n3. b\n   c\n',
  tasks: '- [ ] a\n- [x] b\n\n',
}

test('a very long table has columns of its own, and is a table still', () => {
  const table = (rows: number) => draw(`| a | words |\n|---|---|\n${'| 1 | some words of a cell |\n'.repeat(rows)}`)
  expect(table(100).querySelector('table')?.className).toBe('')
  const long = table(101).querySelector('table')
  expect(long?.style.getPropertyValue('--columns')).toBe('minmax(7ch, 4fr) minmax(19ch, 20fr)')
  expect([...(long?.querySelectorAll('[role]') ?? [])].slice(0, 6).map((it) => it.getAttribute('role'))).toEqual([
    ...['rowgroup', 'row', 'columnheader', 'columnheader'],
    ...['rowgroup', 'row'],
  ])
})

test('a long list is one list to those who hear it, and its numbers go on', () => {
  const list = (items: number) => draw('7. an item\n'.repeat(items)).firstElementChild
  expect(list(50)?.tagName).toBe('OL')
  const long = list(101)
  expect(long?.getAttribute('role')).toBe('list')
  const parts = [...(long?.children ?? [])]
  expect(parts.map((it) => [it.tagName, it.getAttribute('role'), it.getAttribute('start')])).toEqual(
    ['7', '57', '107'].map((start) => ['OL', 'presentation', start]),
  )
  expect(long?.querySelectorAll(':scope > ol > li[role=listitem]')).toHaveLength(101)
})

describe('while it grows', () => {
  const text = [
    '# Title\n\nA paragraph\nof two lines.\n\n',
    '- one\n- two\n\n  more of two\n- three\n\n',
    '```js\nconst a = `b`\n\n\nc()\n```\n\n',
    '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
    '> quoted\nlazily\n\n1. x\n2. y\n\n    indented\n\n',
    '<div>\nhtml\n</div>\n\nSetext\n===\n\nThe end.',
  ].join('')

  test('wherever it is cut, the blocks are those of the whole', () => {
    const whole = new Blocks().of(text, true).map((token) => token.raw)
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 30 }), (cuts) => {
        const blocks = new Blocks()
        for (const cut of [...cuts].sort((a, b) => a - b)) blocks.of(text.slice(0, cut), false)
        expect(blocks.of(text, false).map((token) => token.raw)).toEqual(whole)
      }),
    )
  })

  test.each(Object.entries(LONG))('however long a block is: %s', (_name, part) => {
    const long = `Before.\n\n${part.repeat(Math.ceil(3_000 / part.length))}\n\nAfter.\n`
    const whole = new Blocks().of(long, true)
    fc.assert(
      fc.property(fc.array(fc.nat(long.length), { maxLength: 30 }), (cuts) => {
        const blocks = new Blocks()
        for (const cut of [...cuts].sort((a, b) => a - b)) blocks.of(long.slice(0, cut), false)
        expect(blocks.of(long, false)).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })

  test('whatever it is, and wherever it is cut, the tokens are those of the whole', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '- ',
        '* ',
        '1. ',
        '2) ',
        '\n',
        '\n\n',
        '\n\n\n',
        '  ',
        '    ',
        '- [x] ',
        '> ',
        '# ',
        '---\n',
        '===\n',
      ),
      fc.constantFrom(
        '```\n',
        '~~~~js\n',
        '| a | b |\n|---|---|\n',
        '| 1 | 2 |\n',
        '|',
        '$$',
        '\\[',
        '\\]',
        '<div>\n',
        '<!--',
      ),
      fc.constantFrom('word', 'some *words* and `code` of a line\n', ' and more', '[a]', '[a]: https://example.org\n'),
      fc.constantFrom(...Object.values(LONG).map((part) => part.repeat(Math.ceil(1_200 / part.length)))),
    )
    const growing = fc.tuple(fc.array(piece, { maxLength: 12 }), fc.array(fc.double({ min: 0, max: 1, noNaN: true })))
    fc.assert(
      fc.property(growing, ([pieces, cuts]) => {
        const text = pieces.join('')
        const blocks = new Blocks()
        const ends = cuts.map((cut) => Math.floor(cut * text.length)).sort((a, b) => a - b)
        for (const end of ends) blocks.of(text.slice(0, end), false)
        expect(blocks.of(text, true)).toEqual(new Blocks().of(text, true))
      }),
      { numRuns: 500 },
    )
  })

  test('finished blocks keep their elements, and even their tokens', () => {
    const blocks = new Blocks()
    const [first] = blocks.of('One.\n\nTwo.\n\nThree.\n\nFo', false)
    expect(blocks.of('One.\n\nTwo.\n\nThree.\n\nFour.', false)[0]).toBe(first)

    draw('One.\n\nTwo.\n\nThree.\n\nFo', false)
    const before = place.querySelector('p')
    draw('One.\n\nTwo.\n\nThree.\n\nFour.', false)
    expect(place.querySelector('p')).toBe(before)
    expect(place.textContent).toBe('One.Two.Three.Four.')
  })

  test('rows, items and lines of a long block keep their elements', () => {
    const grown: [string, string, string][] = [
      ['td', '| a | b |\n|---|---|\n', '| 1 | 2 |\n'],
      ['li', '', '- an item\n'],
      ['.part', '```\n', 'a line\n'],
    ]
    for (const [what, before, part] of grown) {
      draw(before + part.repeat(2_000), false)
      const [first, second] = place.querySelectorAll(what)
      draw(before + part.repeat(2_001), false)
      expect([...place.querySelectorAll(what)].slice(0, 2)).toEqual([first, second])
      expect(place.textContent?.match(/1|item|line/g)).toHaveLength(2_001)
    }
  })

  test('its blocks do not keep every text in memory that it has been', () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const blocks = new Blocks()
    const parts = Array.from({ length: 1_000 }, (_, number) => `Paragraph ${number}: ${'words '.repeat(30)}\n\n`)
    collect()
    const before = process.memoryUsage().heapUsed
    let text = ''
    for (const part of parts) {
      text += part
      blocks.of(text, false)
    }
    collect()
    const kept = process.memoryUsage().heapUsed - before
    expect(blocks.of(text, false).length).toBeGreaterThan(1_000)
    expect(kept).toBeLessThan(20 * text.length) // a view each would keep five hundred times as much
  })

  test('nothing is read again when it has ended, unless a link was explained', () => {
    const plain = new Blocks()
    const before = plain.of('One.\n\nTwo.', false)
    expect(plain.of('One.\n\nTwo.', true)).toBe(before)

    const linked = new Blocks()
    const [one, , two] = linked.of('One.\n\nTwo [a].\n\n[a]: https://example.org', false)
    const after = linked.of('One.\n\nTwo [a].\n\n[a]: https://example.org', true)
    expect([after[0] === one, after[2] === two]).toEqual([true, false])
  })

  test('a text that is another one, as after a new epoch, is drawn anew', () => {
    draw('Old.\n\nOld.\n\nOld.\n\nOld.', false)
    draw('New.', false)
    expect(place.textContent).toBe('New.')
  })

  test('a reference that was explained at the end is a link in the whole', () => {
    const source = 'See [this][1].\n\nA.\n\nB.\n\nC.\n\n[1]: https://example.org'
    for (let cut = 0; cut < source.length; cut += 1) draw(source.slice(0, cut), false)
    draw(source, true)
    expect(place.querySelector('a')?.getAttribute('href')).toBe('https://example.org')
  })
})

describe('a model that has got into a loop', () => {
  const loops: Record<string, string> = {
    'marks of lists': `${'- '.repeat(2_500)}word`,
    'marks of numbered lists': `${'1. '.repeat(2_500)}word`,
    'marks of quotes': `${'> '.repeat(2_500)}word`,
    'emphasis without end': `${'**a *b '.repeat(4_000)}word`,
    'lists in lists': `${Array.from({ length: 300 }, (_, depth) => `${'  '.repeat(depth)}- x`).join('\n')}\n\nword`,
    'a line of stars': `${'*'.repeat(399)}\n\nword`,
    'a line to fill in': `${'_'.repeat(120)} x ${'_'.repeat(120)}\n\nword`,
    brackets: `${'['.repeat(5_000)}word`,
  }
  for (const [name, text] of Object.entries(loops)) {
    test(`is shown with all its words: ${name}`, () => {
      const shown = draw(`Before.\n\n${text}`).textContent
      expect([shown?.slice(0, 7), shown?.slice(-4)]).toEqual(['Before.', 'word'])
      draw('')
      for (let length = 1; length <= 8; length += 1) draw(text.slice(0, (text.length * length) / 8), false)
      expect(place.textContent?.length).toBeGreaterThan(0)
    })
  }
})

describe('headings', () => {
  const levels = (text: string) => outline(marked.lexer(text)).filter((level) => level !== null)

  test('make an outline without holes, whatever depths a model takes', () => {
    expect(levels('# a\n## b\n### c\n## d\n# e')).toEqual([3, 4, 5, 4, 3])
    expect(levels('## a\n#### b\n### c\n## d\n# e')).toEqual([3, 4, 4, 3, 3])
    expect(levels('###### a\n# b\n###### c')).toEqual([3, 3, 4])
    expect(levels('# a\n## b\n### c\n#### d\n##### e')).toEqual([3, 4, 5, 6, 6])
  })

  test('keep their levels while the text grows', () => {
    const text = '### a\n\nx\n\n##### b\n\n# c\n\n#### d\n'
    const all = levels(text)
    for (let end = 0; end < text.length; end += 1) {
      const sure = levels(text.slice(0, end)).slice(0, -1) // the last may still be half written
      expect(all.slice(0, sure.length)).toEqual(sure)
    }
  })
})
