import { CommanderError, Command as Parser } from 'commander'
import { fail } from '../core/errors.ts'
import type { Options } from './cli.ts'

/** A parser that throws instead of printing and leaving. `name` as the user types it: `molar runs get`. */
export function makeParser(name: string, summary: string): Parser {
  return new Parser(name)
    .description(summary)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {}, outputError: () => {} })
    .configureHelp({ helpWidth: 100 })
    .helpOption('-h, --help', 'Show this')
}

/** The arguments and options, or the help that was asked for. Throws `bad_request`. */
export function parseWith(
  parser: Parser,
  argv: readonly string[],
): { args: string[]; options: Options } | { help: string } {
  let help = ''
  parser.configureOutput({
    writeOut: (text) => {
      help += text
    },
  })
  try {
    parser.parse([...argv], { from: 'user' })
    return { args: parser.args, options: parser.opts() }
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.helpDisplayed') return { help }
    const message = error.message
      .replace(/^error: /, '')
      .replace(/\n/g, ' ')
      .replace(/\.$/, '')
    return fail('bad_request', `${message.charAt(0).toUpperCase()}${message.slice(1)}. See ${parser.name()} --help.`)
  }
}
