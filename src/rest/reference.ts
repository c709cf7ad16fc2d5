import type { Command } from '../core/command.ts'
import { principalKinds, rolesWith } from '../core/principal.ts'
import { powerOf } from '../core/stages/access.ts'

/** docs/commands.md: what there is and its name on each door, a table a noun. */
export function commandReference(commands: readonly Command[]): string {
  const nouns = [...new Set(commands.map(({ noun }) => noun))]
  const head = [
    '# Commands',
    '',
    '<!-- Written by `npm run generate`. Change the command, not this file. -->',
    '',
    'Each command has one name on every door. Tools marked \\* are outside the default set: ask for their toolset.',
    'Every route under `/v1` also answers under `/api/v1`.',
  ]
  return `${[...head, ...nouns.flatMap((noun) => nounTable(noun, commands))].join('\n')}\n`
}

function nounTable(noun: string, commands: readonly Command[]): string[] {
  const members = commands.filter((command) => command.noun === noun)
  return [
    '',
    `## ${noun}`,
    '',
    '| command | does | tool | REST | CLI | scope | for | effect |',
    '|---|---|---|---|---|---|---|---|',
    ...members.map(row),
  ]
}

function row(command: Command): string {
  const { name, summary, tool, toolset, routes, access, effect } = command
  const rest = routes.map(({ method, path }) => code(`${method} ${path}`)).join('<br>')
  const mark = toolset.default ? '' : ' \\*'
  return `| ${[code(name), cell(summary), code(tool) + mark, rest, code(cliName(command)), code(access.scope), whoMay(command), effect].join(' | ')} |`
}

/** The roles that may call it, and where not every kind of credential may, which. */
function whoMay(command: Command): string {
  const { public: open, tenant, credentials, fresh } = command.access
  const roles = open ? 'anybody' : tenant === false ? 'any person' : rolesWith(powerOf(command)).join(', ')
  const kinds = credentials ? `; by ${credentials.map((kind) => principalKinds[kind]).join(', ')}` : ''
  return `${roles}${kinds}${fresh ? ' (who came in a moment ago)' : ''}`
}

/** `runs.startMany` → `molar runs start-many` */
export const cliName = ({ noun, verb }: Command): string =>
  `molar ${noun} ${verb}`.replaceAll('_', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const code = (text: string): string => `\`${text}\``
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
