import { fail } from '../../core/errors.ts'
import type { Verb } from '../cli.ts'
import { quietLog } from '../log.ts'
import { printJson } from '../print/answer.ts'
import { makeProgress } from '../print/progress.ts'

/** `molar browser install`: makes a Chromium be there. */
export const verb: Verb = {
  define(parser) {
    parser.argument('<what>', 'install').option('--json', 'The answer alone, as one JSON document')
  },
  async run({ args: [what = ''] }, cli) {
    if (what !== 'install') fail('bad_request', `molar browser has no "${what}": it takes install.`)
    const config = cli.config()
    const { playwrightCache, downloadEnvironment } = config
    const [{ browsersIn }, { installBrowser }] = await Promise.all([
      import('../../worker/browser/find.ts'),
      import('../../worker/browser/install.ts'),
    ])
    const progress = makeProgress(cli.terminal.err)
    const found = await installBrowser({
      cacheDirectory: browsersIn(config),
      playwrightCache,
      downloadEnvironment,
      log: quietLog(config),
      progress: (line) => progress.tell('', line),
    }).finally(() => progress.end())
    const { kind, version, source, path } = found
    if (cli.json) printJson({ kind, version, source, path }, cli.terminal)
    else cli.terminal.out.line(`${cli.terminal.out.paint.green('✓')} ${kind} ${version} (${source}) at ${path}`)
    return 0
  },
}
