import type { Command } from '../core/command.ts'
import { inputSchema } from '../core/schema.ts'

/** Commands that have words of the query, the best first; with no word at all, all of them as they stand. */
export function rankCommands(commands: readonly Command[], query: string): Command[] {
  const words = query.toLowerCase().match(/[a-z0-9]+/g) ?? []
  if (words.length === 0) return [...commands]
  return commands
    .map((command, place) => ({ command, place, score: score(command, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.place - b.place)
    .map(({ command }) => command)
}

/** A word in the name says more than one in the summary, and that more than one among the fields. */
function score(command: Command, words: readonly string[]): number {
  const name = `${command.tool} ${command.name} ${command.title} ${command.toolset.name}`.toLowerCase()
  const summary = command.summary.toLowerCase()
  const fields = Object.keys(inputSchema(command).properties ?? {}).join(' ')
  const each = words.map((word) => {
    const stem = word.length > 3 ? word.replace(/(?:ies|es|s|ing|ed)$/, '') : word
    return (name.includes(stem) ? 5 : 0) + (summary.includes(stem) ? 2 : 0) + (fields.includes(stem) ? 1 : 0)
  })
  return each.reduce((sum, one) => sum + one, 0)
}
