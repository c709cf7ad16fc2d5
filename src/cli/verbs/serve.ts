import type { Verb } from '../cli.ts'
import { serverLog } from '../log.ts'
import { readWhole } from '../slots.ts'
import { stopSignal } from '../stop.ts'
import { untilAborted } from '../until.ts'

/** `molar serve`: MCP and REST over HTTP, with a worker unless MOLAR_WORKERS is 0. Ends what it holds before it stops. */
export const verb: Verb = {
  define(parser) {
    parser
      .option('--host <address>', 'Where it listens; 127.0.0.1 unless told (MOLAR_HOST)')
      .option('--port <number>', 'The port; 4000 unless told, 0 for a free one (MOLAR_PORT)')
  },
  async run({ options }, cli) {
    const base = cli.config()
    const stop = stopSignal()
    const config = {
      ...base,
      host: typeof options.host === 'string' ? options.host : base.host,
      port: readWhole('--port', options.port, 0, 65535) ?? base.port,
    }
    const { serve } = await import('../../server/serve.ts')
    const server = await serve(config, { log: serverLog(config), version: cli.version })
    cli.terminal.err.line(`Molar is at ${server.url} (MCP at ${server.url}/mcp). Ctrl-C stops it.`)
    await untilAborted(stop)
    await server.close()
    return 0
  },
}
