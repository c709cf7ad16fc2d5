import { setTimeout as sleep } from 'node:timers/promises'
import { Call, call, enter } from './call.ts'
import type { Command } from './command.ts'
import type { CallContext } from './context.ts'
import { CommandError, fail } from './errors.ts'
import { handlerContext } from './handler-context.ts'
import { allow } from './stages/access.ts'
import { parseInput } from './stages/parse.ts'

/** How long a database that is away is left alone, in milliseconds. */
const pause = 1000

/**
 * What a subscription to a command's resource is told: one item a change. Resolves once the caller has been found to
 * see the resource and no later change can be missed. Each change asks again whether the caller still may; when not it
 * throws what `call()` would. Ends when the resource will not change any more, or when the context's signal aborts.
 */
export async function watch(command: Command, rawInput: unknown, context: CallContext): Promise<AsyncIterable<void>> {
  const changes =
    command.resource?.changes ?? fail('bad_request', `${command.resource?.name ?? command.name} tells no changes.`)
  await call(command, rawInput, context)
  const services = await context.services()
  const admit = async () => {
    const principal = await enter(command, services, context, rawInput)
    allow(command, principal, context.org)
    return principal
  }
  const principal = await admit()
  const input = parseInput(command, rawInput)
  const inside = new Call(command, services, context, principal)
  const open = () => changes(input, handlerContext(inside, inside.tenant(), input))
  return deliver(open, await open(), admit, context.signal)
}

async function* deliver(
  open: () => Promise<AsyncIterable<unknown>>,
  first: AsyncIterable<unknown>,
  enter: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): AsyncGenerator<void> {
  let changes: AsyncIterable<unknown> | undefined = first
  while (!signal?.aborted) {
    try {
      if (!changes) {
        changes = await open()
        await enter()
        yield // there may have been a change while nobody could look
      }
      for await (const _change of changes) {
        await enter()
        yield
      }
      return
    } catch (error) {
      if (!(error instanceof CommandError && error.code === 'unavailable')) throw error
      changes = undefined
      await sleep(pause, undefined, { signal, ref: false }).catch(() => {})
    }
  }
}
