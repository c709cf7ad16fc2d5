import { Option } from 'commander'
import type { Command, Emit } from '../core/command.ts'
import { outputSchema } from '../core/schema.ts'
import { type Carrier, openCarrier } from './carrier.ts'
import type { Cli, Options } from './cli.ts'
import { commonFlags, fieldsOf, kebab, positionalsOf } from './flags.ts'
import { makeParser, parseWith } from './parser.ts'
import { printAnswer, printJson } from './print/answer.ts'
import { makeProgress } from './print/progress.ts'
import { readInput } from './read-input.ts'
import { oneLine } from './terminal.ts'
import { fileFields, writeFiles } from './write-files.ts'

/** One command of the registry as a verb: reads the flags, carries it out, prints the answer. Answers the exit code. */
export async function runCommandVerb(command: Command, argv: readonly string[], cli: Cli): Promise<number> {
  const parsed = parseWith(commandParser(command), argv)
  if ('help' in parsed) {
    cli.terminal.out.write(parsed.help)
    return 0
  }
  const input = await readInput(command, parsed, cli.terminal)
  const common = readCommon(command, parsed)
  if (common.key !== undefined)
    cli.terminal.err.line(
      cli.terminal.err.paint.yellow('warning: others can see --key in the list of processes; MOLAR_API_KEY is safer.'),
    )
  const carrier = await openCarrier(cli, common)
  try {
    return await carryOut(command, input, common, carrier, cli)
  } finally {
    await carrier.close()
  }
}

type Common = {
  url?: string
  key?: string
  org?: string
  idempotencyKey?: string
  out?: string
  force: boolean
  beside: string[]
}

async function carryOut(
  command: Command,
  input: Record<string, unknown>,
  common: Common,
  carrier: Carrier,
  cli: Cli,
): Promise<number> {
  const teller = command.events ? tellEvents(command, cli) : undefined
  const { org, idempotencyKey } = common
  const answer = await carrier
    .carry(command, input, { emit: teller?.emit, org, idempotencyKey })
    .finally(() => teller?.end())
  const files = fileFields(outputSchema(command))
  if (cli.json) printJson(answer, cli.terminal)
  else if (files.length > 0) await keepFiles(answer, files, common, cli)
  else if (!teller?.content) printAnswer(command, answer, cli.terminal)
  return exitOf(answer, input)
}

/** A verdict other than passed is 1, even `running` when its time is over: only who did not want to wait is content. */
function exitOf({ verdict, valid }: Record<string, unknown>, input: Record<string, unknown>): number {
  if (valid === false) return 1
  if (typeof verdict !== 'string' || verdict === 'passed') return 0
  return verdict === 'running' && (input.wait ?? input.seconds) === 0 ? 0 : 1
}

async function keepFiles(
  answer: Record<string, unknown>,
  fields: readonly string[],
  common: Common,
  { terminal }: Cli,
): Promise<void> {
  const options = { folder: common.out ?? '.', beside: common.beside, force: common.force }
  for (const { path, status } of await writeFiles(answer, fields, options)) {
    terminal.out.line(terminal.out.live ? `${terminal.out.paint.green('✓')} ${path} ${status}` : `${path}\t${status}`)
  }
  type LeftOut = { line: number; code: string; reason: string; carried: boolean }
  for (const { line, code, reason, carried } of (answer.left_out ?? []) as LeftOut[])
    terminal.err.line(
      terminal.err.paint.yellow(oneLine(`Line ${line} is ${carried ? 'changed' : 'left out'}, it ${reason}: ${code}`)),
    )
}

/** Events that a command streams for their own sake are its answer and go to stdout; those of a long work are progress. */
function tellEvents(command: Command, cli: Cli): { emit: Emit<unknown>; end(): void; content: boolean } {
  const content = command.routes.some((route) => route.stream)
  const { out, err } = cli.terminal
  if (cli.json) return { emit: async (event) => out.line(JSON.stringify(event)), end() {}, content }
  const line = (event: unknown) => command.line?.(event) ?? (content ? JSON.stringify(event) : undefined)
  if (content) return { emit: async (event) => out.line(oneLine(line(event) ?? '')), end() {}, content }
  const progress = makeProgress(err)
  const emit = async (event: unknown) => {
    const text = line(event)
    if (text !== undefined) progress.tell(keyOf(event), text)
  }
  return { emit, end: progress.end, content }
}

/** One line a run. */
function keyOf(event: unknown): string {
  const { run_id, slug } = event as Record<string, unknown>
  return String(run_id ?? slug ?? '')
}

/** The parser of a command: its positionals, its fields as flags, and the common flags. */
function commandParser(command: Command) {
  const parser = makeParser(`molar ${command.noun} ${kebab(command.verb)}`, command.summary)
  const fields = fieldsOf(command)
  const positionals = positionalsOf(command)
  const shown = positionals.map((name) => {
    const field = fields.find((one) => one.name === name)
    const word = `${kebab(name)}${field?.kind === 'list' ? ' …' : ''}`
    // Never required by the parser: --input or the flag may bring it.
    parser.argument(`[${kebab(name)}${field?.kind === 'list' ? '...' : ''}]`, field?.description ?? '')
    return field?.required === false ? `[${word}]` : `<${word}>`
  })
  parser.usage([...shown, '[options]'].join(' '))
  for (const field of fields) {
    if (field.flag in { json: 1, input: 1, help: 1 }) continue
    if (field.kind === 'boolean') {
      parser
        .addOption(new Option(`--${field.flag}`, field.description))
        .addOption(new Option(`--no-${field.flag}`).hideHelp())
      continue
    }
    const option = new Option(`--${field.flag} <${field.placeholder}>`, field.description)
    if (positionals.includes(field.name)) option.hideHelp()
    if (field.kind !== 'text')
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
    parser.addOption(option)
  }
  addCommon(command, parser, new Set(fields.map((field) => field.flag)))
  return parser
}

function addCommon(command: Command, parser: ReturnType<typeof makeParser>, taken: Set<string>): void {
  for (const [flag, description] of Object.entries(commonFlags)) {
    if (taken.has(flag) && flag !== 'json' && flag !== 'input') continue
    if (flag === 'idempotency-key' && command.effect === 'read') continue
    parser.addOption(
      new Option(flag === 'json' ? '--json' : `--${flag} <value>`, description).helpGroup('Common options:'),
    )
  }
  if (fileFields(outputSchema(command)).length > 0) {
    parser
      .option('--out <folder>', 'Where files are written; this folder unless told')
      .option('--force', 'Write over what is there')
  }
  parser.addOption(new Option('--no-color', 'No colours (NO_COLOR)').helpGroup('Common options:'))
}

function readCommon(command: Command, { args, options }: { args: string[]; options: Options }): Common {
  const taken = new Set(fieldsOf(command).map((field) => field.flag))
  const read = (flag: string, name: string) => {
    const value = taken.has(flag) ? undefined : options[name]
    return typeof value === 'string' ? { [name]: value } : {}
  }
  const named = {
    ...read('url', 'url'),
    ...read('key', 'key'),
    ...read('org', 'org'),
    ...read('idempotency-key', 'idempotencyKey'),
  }
  const beside = fieldsOf(command).some((field) => field.files !== undefined) ? args : []
  return { ...named, ...read('out', 'out'), force: options.force === true, beside }
}
