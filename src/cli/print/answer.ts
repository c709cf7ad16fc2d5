import type { Answer } from '../../core/call.ts'
import type { Command } from '../../core/command.ts'
import { outputSchema } from '../../core/schema.ts'
import { harmless, type Terminal } from '../terminal.ts'
import { printRecord } from './record.ts'
import { printTable } from './table.ts'

/** The answer for people: Markdown as it is, an address alone, lists as tables, the rest as keys and values. */
export function printAnswer(command: Command, answer: Answer, terminal: Terminal): void {
  const { out, err } = terminal
  const schema = outputSchema(command)
  if (typeof answer.markdown === 'string' && command.render) printText(answer.markdown, terminal)
  else if (command.render) printText(command.render(answer), terminal)
  else if (command.redirect) out.line(harmless(command.redirect(answer)))
  else if (Array.isArray(answer.items)) {
    printTable(answer.items as Answer[], schema.properties?.items?.items ?? {}, out)
    if (answer.items.length === 0 && out.live) err.line(err.paint.dim('None.'))
    if (typeof answer.next_cursor === 'string')
      err.line(err.paint.dim(`There are more: --cursor ${answer.next_cursor}`))
  } else printRecord(answer, out)
  const secrets = Object.entries(schema.properties ?? {}).filter(([, field]) => field['x-molar-secret'] === true)
  for (const [name] of secrets) err.line(err.paint.yellow(`${name} is shown this once and never again: keep it now.`))
}

function printText(text: string, { out }: Terminal): void {
  const plain = harmless(text)
  out.write(plain.endsWith('\n') ? plain : `${plain}\n`)
}

/** One JSON document: indented where someone reads it, one line where a program does. */
export function printJson(value: unknown, { out }: Terminal): void {
  out.line(JSON.stringify(value, null, out.live ? 2 : undefined))
}
