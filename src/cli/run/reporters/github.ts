import { relative } from 'node:path'
import type { RunVerdict } from '../follow.ts'
import type { Results } from './index.ts'

/** Workflow commands: GitHub shows each beside the scenario's own line. */
export function githubReport({ runs, files }: Results): string {
  const lines = runs.filter(({ status }) => status !== 'passed').map((run) => annotation(run, files.get(run.slug)))
  const passed = runs.length - lines.length
  return `${[...lines, `::notice title=Molar::${passed} passed, ${lines.length} failed`].join('\n')}\n`
}

function annotation({ slug, status, failure, data_row, trace_id }: RunVerdict, file: string | undefined): string {
  const place = file === undefined ? [] : [`file=${property(relative(process.cwd(), file))}`]
  const line = failure?.step && file !== undefined ? [`line=${failure.step.line}`] : []
  const row = data_row === null ? '' : ` row ${data_row}`
  const properties = [...place, ...line, `title=${property(`${slug}${row} ${status}`)}`].join(',')
  const step = failure?.step ? `${failure.step.text}\n` : ''
  return `::error ${properties}::${oneCommand(`${step}${failure?.message ?? status}\nTrace ${trace_id}`)}`
}

/** A line break would end the command. */
const oneCommand = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
/** So would a colon or a comma end a property. */
const property = (text: string) => oneCommand(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
