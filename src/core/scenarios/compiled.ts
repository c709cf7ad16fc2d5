import type { z } from 'zod'
import { fail } from '../errors.ts'
import type { Asset } from './assets.ts'
import { type CompileResult, compileScenario, findDuplicates, formatProblem } from './language/index.ts'
import type { problem } from './scenario.ts'

export { compileScenario, emitSpec, newScenario } from './language/index.ts'

export interface SourceFile {
  file?: string | undefined
  content: string
  assets?: readonly Asset[] | undefined
}

export type Compiled = Extract<CompileResult, { ok: true }> & { file: string | null; assets: readonly Asset[] }

/** Compiles a set: every problem of every file, S008 for ids and slugs that stand twice among them. */
export function compileAll(sources: readonly SourceFile[]): {
  compiled: Compiled[]
  problems: z.input<typeof problem>[]
} {
  const compiled: Compiled[] = []
  const problems: z.input<typeof problem>[] = []
  for (const { file, content, assets = [] } of sources) {
    const result = compileScenario(content)
    if (!result.ok) problems.push(...result.problems.map((problem) => ({ ...problem, file: file ?? null })))
    else compiled.push({ ...result, file: file ?? null, assets })
  }
  const named = sources.map(({ file, content }, place) => ({ file: file ?? `scenario ${place + 1}`, source: content }))
  for (const { file, problem } of findDuplicates(named)) problems.push({ ...problem, file })
  return { compiled, problems }
}

/** As compileAll, but a problem is the caller's error. */
export function compileOrFail(sources: readonly SourceFile[]): Compiled[] {
  const { compiled, problems } = compileAll(sources)
  if (problems.length === 0) return compiled
  const lines = problems.map((problem) => formatProblem(problem.file ?? 'scenario', problem))
  fail('scenario_invalid', lines.join('\n'), { details: { problems } })
}
