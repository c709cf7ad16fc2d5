import type { Answer } from '../call.ts'
import type { Command } from '../command.ts'

/** Holds an answer to its declared shape, as JSON, and narrows list items to the `fields` asked for. */
export function checkOutput(command: Command, output: unknown, input: Answer): Answer {
  const checked = command.output.safeParse(output)
  if (!checked.success)
    throw new Error(`${command.name} answered in another shape than it declares: ${checked.error.message}`)
  const answer = checked.data as Answer
  const fields = input.fields
  if (!Array.isArray(fields) || !Array.isArray(answer.items)) return answer
  const wanted = new Set(['id', ...(fields as string[])])
  const items = (answer.items as Answer[]).map((item) =>
    Object.fromEntries(Object.entries(item).filter(([key]) => wanted.has(key))),
  )
  return { ...answer, items }
}
