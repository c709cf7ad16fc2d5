import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio'
import type { CallContext, Credential } from '../../core/context.ts'
import { newId } from '../../core/ids.ts'
import type { Selection } from '../../tools/index.ts'
import { type McpHostOptions, mcpHost } from './host.ts'
import { makeServer } from './server.ts'
import { listenOverStdio } from './stdio-listen.ts'

export interface StdioOptions extends McpHostOptions, Selection {
  /** Whose calls these are; asked for at each call, so that it may come into being with the database. */
  credential(): Promise<Credential | undefined>
  /** The process's own streams unless told. */
  stdin?: Readable
  stdout?: Writable
}

export interface StdioServer {
  /** Settles when the client has closed its end, or after `close()`. */
  closed: Promise<void>
  close(): Promise<void>
}

/**
 * MCP over stdin and stdout, for clients of both eras. Nothing but protocol is ever written to stdout. Throws
 * bad_request at once for a toolset that does not exist.
 */
export function serveMcpStdio(options: StdioOptions): StdioServer {
  const host = mcpHost(options)
  const tools = host.tools.select(options)
  const transport = new StdioServerTransport(options.stdin, options.stdout)
  const callerOf = async (): Promise<CallContext> => ({
    services: host.services,
    door: 'mcp',
    requestId: newId(),
    credential: await options.credential().catch(noCredential(options)),
  })
  const handle = serveStdio(() => makeServer(host, tools, callerOf), {
    transport,
    maxSubscriptions: 100,
    onerror: (error) => options.log.debug({ err: error }, 'A message over stdio could not be served'),
  })
  const listening = listenOverStdio(host, transport, callerOf)
  const entryClosed = transport.onclose
  const closed = new Promise<void>((resolve) => {
    transport.onclose = () => {
      listening.stop()
      entryClosed?.()
      resolve()
    }
  })
  return { closed, close: () => handle.close() }
}

/** What keeps the credential away (a database that does not start) stops the call too, and it says so better. */
const noCredential =
  ({ log }: StdioOptions) =>
  (error: unknown) => {
    log.error({ err: error }, 'The credential for stdio could not be read')
    return undefined
  }
