import { readBody } from './body.ts'
import { readFrontMatter } from './front.ts'
import { tooMuch } from './nesting.ts'
import type { Finding, Problem } from './problem.ts'
import { canonicalText, toProblems } from './text.ts'

/** S008 for every id and slug that an earlier file of the set has already; each with its place in its file. */
export function findDuplicates(
  files: readonly { file: string; source: string }[],
): { file: string; problem: Problem }[] {
  const taken = new Map<string, string>()
  return files.flatMap(({ file, source }) => {
    const text = canonicalText(source)
    if (tooMuch(text)) return []
    const { frontMatter, yaml } = readFrontMatter(text, readBody(text, () => {}).frontMatter, () => {})
    if (!frontMatter || !yaml) return []
    const findings: Finding[] = []
    for (const key of ['id', 'slug'] as const) {
      const name = `${key} ${frontMatter[key].toLowerCase()}`
      const other = taken.get(name)
      const message = `The ${key} "${frontMatter[key]}" is taken by ${other}; each scenario has its own.`
      if (other !== undefined) findings.push({ code: 'MOLAR_S008', message, ...yaml.valueAt([key]), suggestions: [] })
      else taken.set(name, file)
    }
    return toProblems(text, findings).map((problem) => ({ file, problem }))
  })
}
