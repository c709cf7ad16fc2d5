import { errorTable } from '../../core/errors.ts'
import type { Verb } from '../cli.ts'
import { type Finding, findings } from '../doctor.ts'
import { quietLog } from '../log.ts'
import { printJson } from '../print/answer.ts'
import { makeProgress } from '../print/progress.ts'
import { type Channel, harmless } from '../terminal.ts'

/** `molar doctor`: what this machine has, and the command that mends what it lacks. Exit 7 when something needed is missing. */
export const verb: Verb = {
  define(parser) {
    parser.option('--json', 'The findings alone, as one JSON document')
  },
  async run(_given, cli) {
    const progress = makeProgress(cli.terminal.err)
    const tell = (text: string) => cli.terminal.err.live && progress.tell('', text)
    const found = await findings(cli.config(), quietLog(cli.config()), tell).finally(() => progress.end())
    const healthy = found.every(({ ok, needed }) => ok || !needed)
    if (cli.json) printJson({ healthy, checks: found }, cli.terminal)
    else print(found, healthy, cli.terminal.out)
    return healthy ? 0 : errorTable.unavailable.exit
  },
}

function print(found: readonly Finding[], healthy: boolean, out: Channel): void {
  const { green, red, yellow, bold, dim } = out.paint
  for (const { name, ok, needed, message, mend } of found) {
    const mark = ok ? green('✓') : needed ? red('✗') : yellow('!')
    out.line(`${mark} ${name.padEnd(10)}${harmless(message)}`)
    if (mend !== undefined) out.line(`  ${' '.repeat(10)}${dim('→')} ${bold(harmless(mend))}`)
  }
  out.line(healthy ? green('\nEverything that is needed is there.') : red('\nSomething that is needed is missing.'))
}
