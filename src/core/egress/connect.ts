import { lookup as systemLookup } from 'node:dns/promises'
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import { OutsideError } from './error.ts'
import { bareHost, type Judge } from './rules.ts'

export type Address = { address: string; family: number }

/** What of the machine is used: tests put their own name servers and wires here. */
export interface Wires {
  lookup(host: string): Promise<Address[]>
  open(options: TcpNetConnectOpts): Socket
}

export const systemWires: Wires = {
  lookup: (host) => systemLookup(host, { all: true, order: 'verbatim' }),
  open: (options) => connect(options),
}

/** Every address that the host has now; throws unless each may be reached. */
export async function findAddresses(host: string, judge: Judge, { lookup }: Wires): Promise<Address[]> {
  const bare = bareHost(host)
  const literal = isIP(bare)
  const found =
    literal !== 0
      ? [{ address: bare, family: literal }]
      : await lookup(bare).catch((cause: unknown) => {
          throw new OutsideError('unreachable', `The name ${bare} cannot be resolved.`, cause)
        })
  for (const { address } of found) judge.address(bare, address)
  return found
}

/**
 * A connection to one of the addresses that were checked, and to no other: the name is asked once, so what it leads to a
 * moment later changes nothing. Where it really ended is checked again, in case something on the way knows better.
 */
export async function connectChecked(
  { host, port }: { host: string; port: number },
  judge: Judge,
  wires: Wires,
  timeoutMs: number,
): Promise<Socket> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const addresses = await orTimeout(findAddresses(host, judge, wires), deadline, host)
  // With every address given here, no name is asked again; the first that answers is taken.
  const socket = wires.open({
    host: bareHost(host),
    port,
    autoSelectFamily: true,
    lookup: (_host, _options, done) => (done as unknown as (error: null, found: Address[]) => void)(null, addresses),
  })
  const opened = new Promise<void>((resolve, reject) =>
    socket.once('connect', resolve).once('error', (cause) => reject(unreachable(host, port, cause))),
  )
  try {
    await orTimeout(opened, deadline, host)
    judge.address(host, socket.remoteAddress ?? '0.0.0.0')
    return socket.setNoDelay(true)
  } catch (error) {
    socket.on('error', () => {}).destroy()
    throw error
  }
}

function unreachable(host: string, port: number, cause: Error): OutsideError {
  const refused = (cause as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  return new OutsideError(
    'unreachable',
    refused ? `Nothing listens at ${host}:${port}.` : `${host}:${port} cannot be reached.`,
    cause,
  )
}

function orTimeout<Result>(work: Promise<Result>, deadline: AbortSignal, host: string): Promise<Result> {
  work.catch(() => {}) // when the deadline is faster, nobody else listens
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new OutsideError('timeout', `${host} did not answer in time.`))
    deadline.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => deadline.removeEventListener('abort', onAbort))
  })
}
