import type { Answer } from '../call.ts'
import type { Command, Emit } from '../command.ts'
import type { CallContext, Services } from '../context.ts'
import { CommandError } from '../errors.ts'
import { handlerContext } from '../handler-context.ts'
import { allow } from './access.ts'
import { checkOutput } from './output.ts'
import { parseInput } from './parse.ts'
import { takeRate } from './rate.ts'

/** Thrown where a handler asks who calls before that is known. */
class TooEarly extends Error {}

/** Reads whose handlers ask who calls before their first statement: for these nothing is gained. */
const askFirst = new WeakSet<Command>()
const noEmit: Emit<unknown> = async () => {}

/**
 * A read whose first statement travels with the question whose the credential is: one round trip instead of two. Nothing
 * of it is answered before access and rate have been checked, and a read that is then thrown away has changed nothing.
 * undefined where it cannot be done so, or went wrong in a way that the plain order of stages tells better.
 */
export async function readOnArrival(
  command: Command,
  rawInput: unknown,
  services: Services,
  context: CallContext,
): Promise<Answer | undefined> {
  const { access, effect, events } = command
  if (effect !== 'read' || events || access.tenant === false || access.public || access.org || askFirst.has(command))
    return undefined
  const arrival = services.arrive(context.credential)
  if (!arrival) return undefined
  const input = tryParse(command, rawInput)
  if (!input) return undefined
  const facts = {
    command,
    services,
    context,
    get principal() {
      return arrival.found ?? tooEarly()
    },
  }
  const result = await settle(async () => command.handler(input, handlerContext(facts, arrival.db, input), noEmit))
  if (result.error instanceof TooEarly && input.cursor !== undefined) return undefined // cursors are read with their org
  const principal = await arrival.principal().catch((error: unknown) => {
    if (error instanceof CommandError && error.code === 'unauthorized') throw error
    return undefined
  })
  if (result.error instanceof TooEarly) askFirst.add(command)
  if (!principal || result.error instanceof TooEarly) return undefined
  if (principal.kind === 'local_owner' && context.org !== undefined) return undefined // perhaps another org of theirs
  allow(command, principal, context.org)
  await takeRate(services.rates, command, principal, context)
  if ('error' in result) throw result.error
  return checkOutput(command, result.value, input)
}

const tooEarly = (): never => {
  throw new TooEarly()
}

/** Input that does not fit is told after access, as always. */
function tryParse(command: Command, rawInput: unknown): Answer | undefined {
  try {
    return parseInput(command, rawInput)
  } catch {
    return undefined
  }
}

const settle = <Value>(work: () => Promise<Value>): Promise<{ value?: Value; error?: unknown }> =>
  work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
