import { deepEqual } from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { commonMarkBlocks } from '../../../src/core/scenarios/language/blocks.ts'
import { compileScenario, formatProblem, readProject } from '../../../src/core/scenarios/language/index.ts'
import { plainBlocks } from '../../../src/core/scenarios/language/plain.ts'
import { canonicalText } from '../../../src/core/scenarios/language/text.ts'
import { forms } from '../../../src/core/scenarios/language/verbs/index.ts'
import { anyCharacter } from '../../fixtures/any-input.ts'

/** FUZZ=20 tries twenty times as much, each time from another seed. */
const runs = (usual: number) => {
  const times = Number(process.env.FUZZ || 1)
  return { numRuns: usual * times, ...(times === 1 && { seed: 7 }) }
}

const head = `---\nspec_version: '1.0'\nid: 019301c0-cafe-7000-bea7-000000000001\nslug: a\ndescription: b\n---\n## Steps\n`

/** Text that looks like the language, so that it gets past the first word. */
const pieces = forms
  .flatMap(({ shown }) => shown.split(' '))
  .concat(
    '"a"',
    '"',
    '“',
    '`b`',
    '`',
    '${a}',
    '${',
    '{',
    '}',
    '{nth: 1}',
    '(',
    ')',
    ',',
    '\\',
    '1s',
    '$.a[0]',
    '\n',
    '\n- ',
    '\n```\n',
    '😀',
    '\uD800',
  )
const sentence = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8 })), { maxLength: 16 })
const sentences = fc
  .array(
    sentence.map((words) => `- ${words.join(' ')}`),
    { maxLength: 8 },
  )
  .map((lines) => head + lines.join('\n'))
const yaml = fc.array(
  fc.constantFrom(
    'a',
    ': ',
    '\n',
    '- ',
    '&x',
    ' *x',
    '{',
    '}',
    '[',
    ']',
    '!!t ',
    '|',
    '>',
    '"',
    "'",
    '? ',
    '<<',
    'slug',
    'tags',
    'data',
    'variables',
    '#',
    '\t',
    '  ',
  ),
  { maxLength: 40 },
)
const sources = fc.oneof(
  { weight: 5, arbitrary: sentences },
  { weight: 2, arbitrary: yaml.map((parts) => `---\n${parts.join('')}\n---\n## Steps\n- Reload\n`) },
  { weight: 2, arbitrary: fc.string({ unit: anyCharacter, maxLength: 300 }) },
)

t.test('any text gives a plan or problems that lie inside of it, and the same ones again', async (t) => {
  fc.assert(
    fc.property(sources, (source) => {
      const result = compileScenario(source)
      if (result.ok) return JSON.stringify(compileScenario(source)) === JSON.stringify(result)
      const rows = source.split('\n').length + (source.match(/\r/g)?.length ?? 0) + 1
      const places = result.problems.map(({ range }) => range)
      const inside = places.every(
        ({ start, end }) => start.line >= 1 && start.column >= 1 && end.line <= rows && start.line <= end.line,
      )
      const sorted = places.every(({ start }, index) => {
        const before = places[index - 1]?.start ?? start
        return before.line < start.line || (before.line === start.line && before.column <= start.column)
      })
      const shape = result.problems.every((problem) =>
        /^f:\d+:\d+-\d+:\d+ MOLAR_S\d{3} /.test(formatProblem('f', problem)),
      )
      const again = compileScenario(source)
      const same =
        !again.ok && again.problems.map(({ code }) => code).join() === result.problems.map(({ code }) => code).join()
      return result.problems.length > 0 && inside && sorted && shape && same
    }),
    runs(1500),
  )
  t.pass()
})

t.test('any project file is read', async (t) => {
  fc.assert(
    fc.property(sources, (source) => Array.isArray(readProject(source).warnings)),
    runs(300),
  )
  t.pass()
})

/** What lines begin with that mean something in Markdown, nearly do, or might. */
const signs = [
  '|- |* |+ |1. |2. |12. |1) |0. |123456789. |1234567890. |-  |1.   |-    |-     |-|1.|*|-a|1.a|- [ ] |-\t|1.\t|\t',
  '|# |## |###### |####### |#|#a|# #|## a ##|#\u00A0a|> |>|---|--- |----|---x|--|***|**|* * *|* *|___|_ _ _|_ _|-*-|=|===|+++',
  '|```|````|``` |```json|```json a|```a`b|``|`c` |~~~|~~~~|~~~a`b|~~~ ~~~|~~|``` \f|```\uFEFFa|<div>|<!-- |-->|<?|<a>|[a]: b',
  '|\\|&amp;|\0|\uFEFF|\u00A0|\u2003|\u2028|\f|\v|😀|**b** ',
]
  .join('')
  .split('|')
const words = 'b|Click "a"|a  b|a   | |  |a\tb|a`b|a <b> c|#|\u00A0'.split('|')
const indents = '|||||||| |  |   |   |    |     |      |\t'.split('|')
const nasty = fc
  .tuple(...[indents, signs, ['', '', ...signs], ['', ...words]].map((parts) => fc.constantFrom(...parts)))
  .map((parts) => parts.join(''))
const usual = [
  '||||1. Click "a"|2. Reload  |10. b|- b|## Steps|# A |Prose.|   goes on|    goes on|  c|---|  |',
  '  - a|    - a|     - a|  1. a|   2. a|   1) a|      1. a|   * a|      b|  # A|',
  '```|   ```|    ```|   ```json|  ~~~|~~~|   {|    }',
]
  .join('')
  .split('|')
const lines = fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: nasty }), {
  maxLength: 10,
})
const fronts = [
  '',
  '',
  '',
  '---\n',
  '--- \n',
  '---\na: b\n---\n',
  '---\n---\n',
  '---\na\n---- \n---  \n',
  '\uFEFF\uFEFF',
]
const written = fc
  .tuple(fc.constantFrom(...fronts), lines, fc.constantFrom('\n', '\n', '\r\n', '\r'))
  .map(([front, rows, newline]) => (front + rows.join('\n')).replaceAll('\n', newline))

const examples = readdirSync('examples')
  .filter((file) => file.endsWith('.molar.md'))
  .map((file) => readFileSync(`examples/${file}`, 'utf8'))
  .concat(readFileSync('test/core/scenarios/checkout.molar.md', 'utf8'))
const changed = fc
  .tuple(fc.constantFrom(...examples), fc.array(fc.tuple(fc.nat(), fc.nat(2), nasty), { minLength: 1, maxLength: 2 }))
  .map(([example, changes]) => {
    const rows = example.split('\n')
    for (const [place, taken, line] of changes) rows.splice(place % rows.length, taken, line)
    return rows.join('\n')
  })

/** Whether a document is plain; where it is, its blocks must be those that CommonMark's parser finds. */
function comparePlain(document: string): boolean {
  const source = canonicalText(document)
  const blocks = plainBlocks(source)
  if (blocks) deepEqual(blocks, commonMarkBlocks(source), JSON.stringify(source))
  return blocks !== undefined
}

t.test('a plain document has the blocks, all at the same offsets, that the parser of CommonMark finds', async (t) => {
  t.ok(examples.every(comparePlain), 'all examples are plain')
  const places = [
    ['', '- b'],
    ['- a\n', '- b'],
    ['1. a\n\n   ', '2. b'],
  ]
  let plain = 0
  for (const begun of [...indents, ...signs]) {
    if (comparePlain(`\`\`\`\n${begun}b\n\`\`\`\n`)) plain++
    if (comparePlain(`- a\n  - b\n    \`\`\`\n${begun}b\n\n    \`\`\`\n- b`)) plain++
  }
  for (const [before, after] of places)
    for (const sign of signs)
      for (const more of [...signs, ...words]) if (comparePlain(`${before}${sign}${more}\n${after}\n`)) plain++
  t.ok(plain > 1000, `${plain} of the pairs are plain`)
  plain = 0
  const documents = fc.oneof({ weight: 15, arbitrary: written }, { weight: 1, arbitrary: changed })
  fc.assert(
    fc.property(documents, (document) => void (comparePlain(document) && plain++)),
    runs(6000),
  )
  t.ok(plain > 1000, `${plain} of the documents are plain`)
})

t.test('twice the input never costs four times the time', async (t) => {
  const shapes: Record<string, (size: number) => string> = {
    narrowing: (size) => `1. Click ${'"a" in '.repeat(size / 7)}`,
    brackets: (size) => `1. Click ${'('.repeat(size)}`,
    quotes: (size) => `1. Click ${'"'.repeat(size)}`,
    'open references': (size) => `1. Click "${'${'.repeat(size / 2)}`,
    options: (size) => `1. Click "a"${' {a: b,'.repeat(size / 7)}`,
    backslashes: (size) => `1. Click "${'\\'.repeat(size)}`,
    stars: (size) => `1. Click ${'*a **a '.repeat(size / 7)}`,
    links: (size) => `1. Click ${'[a]('.repeat(size / 4)}`,
    'double stars': (size) => `1. Assert url matches /${'**/a'.repeat(size / 4)}`,
    words: (size) => `1. Assert ${'a '.repeat(size / 2)}Clone has 1 x`,
    'white space': (size) => `1. Click${' '.repeat(size)}"a"`,
    'lazy lines': (size) => `1. Click
${`${'a'.repeat(99)}
`.repeat(size / 100)}`,
    'nested quotes': (size) => '>'.repeat(size),
    'nested lists': (size) => `- ${'a'.repeat(46)}\n  - ${'b'.repeat(45)}\n`.repeat(size / 100),
    steps: (size) =>
      `1. Click "a" in row "${'b'.repeat(76)}"
`.repeat(size / 100),
  }
  const cost = (source: string) => {
    const times = [1, 2, 3].map(() => {
      const before = process.cpuUsage()
      compileScenario(source)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    })
    return Math.min(...times)
  }
  for (const [name, make] of Object.entries(shapes)) {
    cost(head + make(4000))
    // Two doublings, so that noise weighs less: what is quadratic takes 16 times, what is linear 4 times as long.
    const told: string[] = []
    let linear = false
    for (let round = 0; round < 3 && !linear; round++) {
      const once = cost(head + make(30_000))
      const fourfold = cost(head + make(120_000))
      told.push(`${once.toFixed(1)} ms, then ${fourfold.toFixed(1)} ms`)
      linear = fourfold < 12 * Math.max(once, 5)
    }
    t.ok(linear, `${name}: ${told.join('; ')}`)
  }
})
