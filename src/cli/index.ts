import type { Command } from '../core/command.ts'
import { CommandError, fail } from '../core/errors.ts'
import { resolveAlias } from './aliases.ts'
import type { Cli, Outside, Verb } from './cli.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** Does what the words say. Answers the exit code; nothing is thrown. */
export async function runCli(argv: readonly string[], outside: Outside): Promise<number> {
  // A reader that went away (`| head`) is no error to speak of.
  const streams = outside.streams ?? process
  for (const stream of [streams.stdout, streams.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 141 : 70))
  }
  const flags = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  const json = flags.includes('--json')
  const terminal = openTerminal(streams, choices(flags, outside))
  try {
    return await dispatch(resolveAlias(argv), { ...outside, terminal, json })
  } catch (error) {
    return report(json ? error : await inVerbs(error, outside), terminal, json)
  }
}

async function dispatch(words: string[], cli: Cli): Promise<number> {
  const { verbs } = await import('./verbs/index.ts')
  const [first = '--help', ...rest] = words
  if (['--version', '-v', '-V'].includes(first)) {
    cli.terminal.out.line(cli.version)
    return 0
  }
  const isWord = rest[1] !== undefined && !rest[1].startsWith('-')
  const own = verbs.find(
    ({ name, withWord }) => name === first || (name === `${first} ${rest[0]}` && (isWord || !withWord)),
  )
  if (own) return runVerb(own.name, own.summary, rest.slice(own.name === first ? 0 : 1), (await own.load()).verb, cli)
  const commands = await cli.commands()
  if (['--help', '-h', 'help'].includes(first)) return help(rest, commands, cli)
  const members = commands.filter((command) => command.noun === first)
  if (members.length === 0)
    return unknownWord(first, [...verbs.map(({ name }) => name), ...commands.map(({ noun }) => noun)])
  return runNoun(first, rest, members, cli)
}

async function runVerb(name: string, summary: string, argv: string[], verb: Verb, cli: Cli): Promise<number> {
  const { makeParser, parseWith } = await import('./parser.ts')
  const parser = makeParser(`molar ${name}`, summary)
  verb.define(parser)
  parser.option('--no-color', 'No colours (NO_COLOR)')
  const parsed = parseWith(parser, argv)
  if (!('help' in parsed)) return verb.run(parsed, cli)
  cli.terminal.out.write(parsed.help)
  return 0
}

async function runNoun(noun: string, words: string[], members: readonly Command[], cli: Cli): Promise<number> {
  const [verb = '--help', ...rest] = words
  const [{ kebab }, { printNounHelp }] = await Promise.all([import('./flags.ts'), import('./help.ts')])
  if (['--help', '-h', 'help'].includes(verb)) {
    printNounHelp(noun, members, cli.terminal.out)
    return 0
  }
  const command = members.find((one) => one.verb === verb || kebab(one.verb) === verb)
  if (!command)
    return unknownWord(
      verb,
      members.map((one) => kebab(one.verb)),
      `molar ${noun}`,
    )
  const { runCommandVerb } = await import('./command-verb.ts')
  return runCommandVerb(command, rest, cli)
}

async function help(words: string[], commands: readonly Command[], cli: Cli): Promise<number> {
  if (words.length > 0) return dispatch([...words, '--help'], cli)
  const { printHelp } = await import('./help.ts')
  printHelp(commands, cli.version, cli.terminal.out)
  return 0
}

async function unknownWord(word: string, known: string[], before = 'molar'): Promise<never> {
  const { nearestWord } = await import('./nearest.ts')
  const near = nearestWord(word, [...new Set(known)])
  const hint = near ? `Did you mean ${before} ${near}?` : `See ${before} --help.`
  return fail('bad_request', `${before} has no verb "${word}". ${hint}`)
}

/** An error names the tools that help; whoever types commands knows them as verbs. */
async function inVerbs(error: unknown, outside: Outside): Promise<unknown> {
  if (!(error instanceof CommandError) || !/\bmolar_[a-z]/.test(error.message)) return error
  const { verbOf } = await import('./called.ts')
  const commands = await outside.commands()
  const message = error.message.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (word) => {
    const command = commands.find(({ tool }) => tool === word)
    return command ? verbOf(command, outside.environment) : word
  })
  const { code, cause, details } = error
  return new CommandError(code, message, { cause, ...(details && { details }) })
}

async function report(error: unknown, terminal: Terminal, json: boolean): Promise<number> {
  const { printError } = await import('./print/error.ts')
  return printError(error, terminal, json)
}

/** Colours as the flags, the environment and the terminal have it. What is wrong in the environment is told later, by who needs it. */
function choices(flags: readonly string[], outside: Outside): { color?: boolean | undefined; still: boolean } {
  const ci = flags.includes('--ci')
  if (ci || flags.includes('--no-color')) return { color: false, still: ci }
  try {
    const config = outside.config()
    return { color: config.color, still: config.ci }
  } catch (error) {
    if (error instanceof CommandError) return { still: false }
    throw error
  }
}
