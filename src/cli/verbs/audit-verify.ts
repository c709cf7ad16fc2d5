import { readFile } from 'node:fs/promises'
import type { AuditKey } from '../../core/audit/index.ts'
import { fail } from '../../core/errors.ts'
import type { Cli, Verb } from '../cli.ts'
import { printJson } from '../print/answer.ts'
import { printRecord } from '../print/record.ts'

/** `molar audit verify <file>`: an export, checked here, with no server and no database. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('<file>', 'What `molar audit export` printed')
      .option(
        '--keys <file>',
        'Public keys, as `molar audit keys --json` printed them once; the export’s own unless told',
      )
      .option('--json', 'The answer alone, as one JSON document')
  },
  async run({ args: [file = ''], options }, cli) {
    const { verifyExport } = await import('../../core/audit/index.ts')
    const keys = typeof options.keys === 'string' ? readKeys(await read(options.keys)) : undefined
    const report = verifyExport(await read(file), keys)
    if (cli.json) printJson(report, cli.terminal)
    else print(report, keys !== undefined, cli)
    return report.valid ? 0 : 1
  },
}

function print(
  { problems, ...facts }: ReturnType<typeof import('../../core/audit/index.ts').verifyExport>,
  pinned: boolean,
  { terminal }: Cli,
): void {
  printRecord({ ...facts }, terminal.out)
  for (const { what, message } of problems) terminal.out.line(`${what}: ${message}`)
  if (!pinned)
    terminal.err.line(
      'The keys are the export’s own: they do not prove who made it. --keys takes those that you have kept.',
    )
}

const read = (path: string) =>
  readFile(path, 'utf8').catch((cause) => fail('bad_request', `${path} cannot be read.`, { cause }))

function readKeys(text: string): AuditKey[] {
  try {
    return (JSON.parse(text) as { keys: AuditKey[] }).keys
  } catch (cause) {
    return fail('bad_request', 'The keys are not what `molar audit keys --json` prints.', { cause })
  }
}
