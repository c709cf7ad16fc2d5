import fc from 'fast-check'
import t from 'tap'
import { compileScenario, formatProblem, readProject } from '../../../src/core/scenarios/language/index.ts'
import { forms } from '../../../src/core/scenarios/language/verbs/index.ts'

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
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
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
    { numRuns: 1500, seed: 7 },
  )
  t.pass()
})

t.test('any project file is read', async (t) => {
  fc.assert(
    fc.property(sources, (source) => Array.isArray(readProject(source).warnings)),
    { numRuns: 300, seed: 7 },
  )
  t.pass()
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
    const once = cost(head + make(30_000))
    const fourfold = cost(head + make(120_000))
    // Two doublings, so that noise weighs less: what is quadratic takes 16 times, what is linear 4 times as long.
    t.ok(fourfold < 12 * Math.max(once, 5), `${name}: ${once.toFixed(1)} ms, then ${fourfold.toFixed(1)} ms`)
  }
})
