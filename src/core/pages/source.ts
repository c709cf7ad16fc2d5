import { fail } from '../errors.ts'
import { newId } from '../ids.ts'
import { compiler, type StepPlan } from '../scenarios/index.ts'

export interface Way {
  url: string
  base_url: string | undefined
  steps: string
  variables: Record<string, string>
  /** Names of secrets that have a value. */
  secrets: readonly string[]
}

/** The scenario that opens the page and takes the steps. Throws validation_failed that names the caller's own lines. */
export async function wayTo({
  url,
  base_url,
  steps,
  variables,
  secrets,
}: Way): Promise<{ source: string; plan: StepPlan }> {
  const href = absolute(url, base_url)
  const all = { ...variables, 'outline.url': href }
  const head = [
    '---',
    `spec_version: '1.0'`,
    `id: ${newId()}`,
    'slug: outline',
    'description: Leads to a page.',
    `base_url: ${JSON.stringify(new URL(href).origin)}`,
    `variables: ${JSON.stringify(all)}`,
    `secrets: ${JSON.stringify(secrets)}`,
    '---',
    '# Outline',
    '',
    '## Steps',
    '1. Navigate to ${outline.url}',
  ]
  const { lines, origins } = numberSteps(steps)
  const source = [...head, ...lines, ''].join('\n')
  const { compileScenario } = await compiler()
  const result = compileScenario(source)
  if (result.ok) return { source, plan: result.plan }
  const problems = result.problems.map(({ code, message, suggestions, range }) => {
    const line = origins[range.start.line - head.length - 1]
    return { code, message, suggestions, ...(line !== undefined && { line }) }
  })
  const told = problems.map(
    ({ code, message, suggestions: [near], line }) =>
      `${line === undefined ? '' : `steps, line ${line}: `}${code} ${message}${near === undefined ? '' : ` Did you mean: ${near}?`}`,
  )
  return fail('validation_failed', told.join('; '), { details: { problems } })
}

function absolute(url: string, base: string | undefined): string {
  const found = URL.parse(url, base)
  if (!found || !['http:', 'https:'].includes(found.protocol))
    fail('validation_failed', `url: "${url}" must be an http or https URL, or a path where base_url is given.`)
  if (base !== undefined && new URL(base).origin !== found.origin)
    fail('validation_failed', 'url: lies outside the origin of base_url, to which this is held.')
  return found.href
}

/** A step a line, its number optional; a fenced block belongs to the step above it. */
function numberSteps(text: string): { lines: string[]; origins: number[] } {
  const lines: string[] = []
  const origins: number[] = []
  let number = 2
  let fenced = false
  for (const [place, line] of text.split(/\r?\n/).entries()) {
    const fence = line.trim().startsWith('```')
    if (!fenced && !fence && line.trim() === '') continue
    if (fenced || fence) lines.push(`   ${line.trimStart() === line ? line : line.trim()}`)
    else lines.push(`${number++}. ${line.trim().replace(/^(\d+[.)]|[-*])\s+/, '')}`)
    origins.push(place + 1)
    if (fence) fenced = !fenced
  }
  return { lines, origins }
}
