// @vitest-environment happy-dom
import fc from 'fast-check'
import { render } from 'preact'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type Typeset, typeset } from '../../../src/chat/prose/formula'
import { Markdown } from '../../../src/chat/prose/markdown'
import { Typesetter } from '../../../src/chat/prose/math'
import { OnDemand } from '../../../src/chat/prose/on-demand'

let place: HTMLElement
beforeEach(() => {
  place = document.createElement('div')
})

function draw(text: string, typesetter: OnDemand<Typeset>, whole = true): HTMLElement {
  render(
    <Typesetter.Provider value={typesetter}>
      <Markdown text={text} whole={whole} />
    </Typesetter.Provider>,
    place,
  )
  return place.firstElementChild as HTMLElement
}

/** Says what was taken for a formula, instead of typesetting it. */
function found(text: string, whole = true): string[] {
  const formulas: string[] = []
  const noted = new OnDemand<Typeset>(async () => (tex) => tex)
  vi.spyOn(noted, 'ask').mockImplementation((work) => {
    work((tex, display) => {
      formulas.push(display ? `display ${tex}` : tex)
      return tex
    })
    return new OnDemand<Typeset>(() => new Promise(() => {})).ask(() => null)
  })
  draw(text, noted, whole)
  return formulas
}

async function typesetted(text: string): Promise<HTMLElement> {
  const prose = draw(text, new OnDemand(async () => typeset))
  await vi.waitFor(() => expect(prose.querySelector('math')).not.toBeNull(), { timeout: 10_000 })
  return prose
}

describe('what is a formula', () => {
  test.each<[string, string[]]>([
    ['Let $x$ be $a_1 + b_2$.', ['x', 'a_1 + b_2']],
    ['So \\(a * b * c\\) and \\[x^2\\] here', ['a * b * c', 'display x^2']],
    ['$$\nx = \\frac{1}{2}\n$$', ['display x = \\frac{1}{2}']],
    ['Then\n$$a\n- b$$\nand so on', ['display a\n- b']],
    ['\\[\n\\begin{aligned}\na &= b \\\\\n&= c\n\\end{aligned}\n\\]', [expect.stringContaining('aligned') as string]],
    ['- $E = mc^2$\n- it is $$y$$', ['E = mc^2', 'display y']],
    [
      '$2x + 3$, $10^{-3}$, $3 \\times 4$, $5\\text{ apples}$',
      ['2x + 3', '10^{-3}', '3 \\times 4', '5\\text{ apples}'],
    ],
    ['| $a$ | b |\n|---|---|\n| $c$ | d |', ['a', 'c']],
    ['**$x$** ($y$)', ['x', 'y']],
  ])('%j', (text, formulas) => expect(found(text)).toEqual(formulas))
})

describe('what is none', () => {
  test.each([
    'It costs $5 and $10.',
    'From $5-$10, or $5–10',
    '$5, or 10$ in total',
    'US$5 to US$6',
    '$HOME/$USER and $PATH',
    'a $ b $ c',
    '`$x$` and ``$$y$$``',
    '```\n$$x$$ \\(y\\)\n```',
    '\\$x\\$',
    'a $x\n\ny$ b',
    '$$\n\n$$',
    '$$$$',
    '$a `code$` b',
  ])('%j', (text) => expect(found(text)).toEqual([]))

  test.each(['$$\nx = \\frac{1}', '$$\nx\n- y\n+ z\n1. w', '\\[ x', 'Let $x', 'Let \\(x', '$$x$'])(
    'one that is half written is text: %j',
    (text) => {
      expect(found(text, false)).toEqual([])
      expect(place.textContent).toBe(text.replace('\\(', '('))
    },
  )
})

describe('what is drawn', () => {
  test('a formula in a line, and one that stands alone', async () => {
    const prose = await typesetted('Let $x$ be\n\n$$\\frac{a}{b}$$')
    await vi.waitFor(() => expect(prose.querySelectorAll('math')).toHaveLength(2))
    expect(prose.querySelector('p > math')?.getAttribute('display')).toBeNull()
    expect(prose.querySelector('.formula > math > mfrac')?.textContent).toBe('ab')
    expect(prose.querySelector('.formula > math')?.getAttribute('display')).toBe('block')
    expect(prose.querySelector('math')?.namespaceURI).toBe('http://www.w3.org/1998/Math/MathML')
  })

  test('until it can be typeset, what was written', () => {
    const prose = draw('Let $x$ be\n\n$$y$$', new OnDemand<Typeset>(() => new Promise(() => {})))
    expect(prose.textContent).toBe('Let $x$ be$$y$$')
  })

  test('where it is wrong, what was written', async () => {
    const prose = await typesetted('$x$ and $\\frac{1}$ and $\\nonsense$')
    expect(prose.textContent).toBe('x and $\\frac{1}$ and $\\nonsense$')
  })
})

describe('a hostile formula', () => {
  const hostile: Record<string, string> = {
    'a link': '\\href{javascript:alert(1)}{x}',
    'an address': '\\url{javascript:alert(1)}',
    'an image': '\\includegraphics{https://example.org/x.png}',
    'a reference': '\\ref{x}',
    'a class': '\\class{scroller}{x}',
    'an id': '\\id{sidebar}{x}',
    'a style': '\\style{position:fixed}{x}',
    'a macro without end': '\\def\\a{\\a\\a}\\a',
    'macros that multiply':
      '\\def\\a{xxxxxxxxxx}\\def\\b{\\a\\a\\a\\a\\a\\a\\a\\a\\a\\a}\\def\\c{\\b\\b\\b\\b\\b\\b\\b\\b\\b\\b}\\c\\c\\c\\c\\c\\c',
    'roots in roots': `${'\\sqrt{'.repeat(400)}x${'}'.repeat(400)}`,
  }
  for (const [name, tex] of Object.entries(hostile)) {
    test(`is shown as it was written: ${name}`, async () => {
      const prose = await typesetted(`$$${tex}$$\n\n$x$`)
      expect(prose.querySelectorAll('math')).toHaveLength(1)
      expect(prose.querySelector('p')?.textContent).toBe(`$$${tex}$$`)
      expect(prose.querySelectorAll('a, img, [id], .scroller')).toHaveLength(0)
    })
  }

  test('is never larger than it may be', async () => {
    const prose = await typesetted('$\\rule{9999em}{9999em}$')
    expect(prose.querySelector('mspace')?.getAttribute('height')).toBe('10em')
  })

  test('whatever is written, only elements of MathML appear, without addresses or actions', () => {
    const piece = fc.constantFrom(
      ...[
        '\\href{javascript:x}{y}',
        '\\color{red}',
        '\\textcolor{url(x)}{a}',
        '\\begin{matrix}',
        '\\end{matrix}',
        '{',
        '}',
      ],
      ...[
        '&',
        '^',
        '_',
        '\\frac',
        '\\def\\a{\\a}',
        '\\a',
        '<img src=x>',
        '\\cancel{x}',
        '\\boxed{x}',
        '\\text{<b>x}',
        'x',
      ],
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const tex = pieces.join('')
        let drawn: string
        try {
          drawn = JSON.stringify(typeset(tex, true))
        } catch {
          return
        }
        expect(drawn).not.toMatch(/"name":"(?!m|none)|"(?:href|src|on\w+|id|background\w*|position)":|url\(/)
      }),
    )
  })
})
