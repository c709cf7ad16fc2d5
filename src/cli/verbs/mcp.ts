import type { Cli, Local, Verb } from '../cli.ts'
import { quietLog } from '../log.ts'
import { stopSignal } from '../stop.ts'

/** `molar mcp`: MCP over stdin and stdout. It answers at once; the database starts at the first call that needs it. */
export const verb: Verb = {
  define(parser) {
    parser
      .option(
        '--toolsets <names>',
        'Instead of the default set: names by commas, such as default,keys; or all (MOLAR_TOOLSETS)',
      )
      .option('--read-only', 'Only tools that change nothing')
      .addHelpText(
        'after',
        '\nIn an editor: {"command": "npx", "args": ["-y", "@molar/guard", "mcp"]}. molar init writes that.',
      )
  },
  async run({ options }, cli) {
    const config = cli.config()
    const stop = stopSignal()
    const log = quietLog(config)
    const local = once(() => cli.openLocal(config, log, { worker: 'later', role: 'mcp' }))
    const { serveMcpStdio } = await import('../../server/mcp/stdio.ts')
    const given = typeof options.toolsets === 'string' ? options.toolsets.split(',').filter(Boolean) : config.toolsets
    const server = serveMcpStdio({
      commands: await cli.commands(),
      services: async () => (await local()).services,
      credential: async () => (await local()).credential,
      version: cli.version,
      log,
      toolsets: given,
      readOnly: options.readOnly === true,
    })
    stop.addEventListener('abort', () => void server.close(), { once: true })
    await server.closed
    await closeOpened(local)
    return 0
  },
}

type Opener = { (): Promise<Local>; opened(): Promise<Local> | undefined }

/** Opens at the first call; a failure is not kept, so that a later call may succeed. */
function once(open: () => ReturnType<Cli['openLocal']>): Opener {
  let opened: Promise<Local> | undefined
  const get = () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
  return Object.assign(get, { opened: () => opened })
}

async function closeOpened(local: Opener): Promise<void> {
  const opened = await local.opened()?.catch(() => undefined)
  await opened?.close()
}
