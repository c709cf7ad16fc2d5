import type { Command, Emit } from './command.ts'
import type { CallContext, Services, TenantDatabase } from './context.ts'
import { CommandError, type ErrorCode, errorTable, fail } from './errors.ts'
import { handlerContext } from './handler-context.ts'
import { orgRef } from './org-ref.ts'
import { installation, nobody, type Principal } from './principal.ts'
import { allow, whoWas } from './stages/access.ts'
import { readOnArrival } from './stages/arrival.ts'
import { appendAudit } from './stages/audit.ts'
import { type Claim, claimKey, releaseKey, storeAnswer } from './stages/idempotency.ts'
import { holdToLink, useUpLink } from './stages/link.ts'
import { checkOutput } from './stages/output.ts'
import { parseInput } from './stages/parse.ts'
import { takeRate } from './stages/rate.ts'

export type Answer = Record<string, unknown>
const noEmit: Emit<unknown> = async () => {}
const refuseEmit: Emit<unknown> = () => {
  throw new Error('A write cannot emit inside its transaction: emit in follow()')
}

/** The only way to a handler: principal → access → rate → parse → idempotency → handler → output check → audit → usage. */
export async function call(
  command: Command,
  rawInput: unknown,
  context: CallContext,
  emit: Emit<unknown> = noEmit,
): Promise<Answer> {
  const started = performance.now()
  const services = await context.services()
  let result = 'ok'
  try {
    const read = await readOnArrival(command, rawInput, services, context)
    if (read) return read
    const principal = await enter(command, services, context, rawInput)
    const run = new Call(command, services, context, principal)
    return await run.answer(rawInput, emit)
  } catch (error) {
    result = error instanceof CommandError ? error.code : 'internal'
    if (error instanceof CommandError && refusals.has(error.code)) logRefusal(services, command, context, error)
    throw error
  } finally {
    services.observe({ command: command.name, door: context.door, result, milliseconds: performance.now() - started })
  }
}

/** What is refused because of who asks, or how often. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'forbidden',
  'insufficient_scope',
  'reauthentication_required',
  'rate_limited',
  'quota_exceeded',
])

/** A line beside the request's own, with who it was: reads that are refused are no audit events. */
function logRefusal({ log }: Services, command: Command, context: CallContext, error: CommandError): void {
  const { door, requestId, remoteAddress } = context
  const who = whoWas(error)
  const credential = who && { kind: who.kind, id: who.id, org: who.org.id, user: who.user?.id }
  const facts = { request_id: requestId, command: command.name, door, remote_address: remoteAddress }
  log.info({ ...facts, credential, result: error.code }, 'refused')
}

/** Who calls: nobody, where the command lets anybody in and no credential was shown. */
export async function enter(
  command: Command,
  services: Services,
  context: CallContext,
  rawInput: unknown,
): Promise<Principal> {
  const { tenant, public: open, org: field } = command.access
  if (open && !context.credential) return nobody
  const named = field === undefined ? undefined : (rawInput as Answer | null | undefined)?.[field]
  if (typeof named === 'string' && orgRef.safeParse(named).success) return enterOrg(named, services, context)
  const principal = await services.authenticate(context.credential, { org: context.org, tenant })
  if (named !== undefined) parseInput(command, rawInput) // no org has such a name: it says so
  return tenant === false ? { ...principal, org: installation } : principal
}

/** As a member of the org that the input names. One that the caller does not belong to is not there. */
async function enterOrg(named: string, { authenticate }: Services, { credential }: CallContext): Promise<Principal> {
  const absent = `There is no org ${named}. orgs.list shows those that you belong to.`
  try {
    const principal = await authenticate(credential, { org: named })
    const { id, slug } = principal.org
    return named === slug || named.toLowerCase() === id ? principal : fail('not_found', absent)
  } catch (error) {
    if (error instanceof CommandError && error.code === 'forbidden') fail('not_found', absent)
    throw error
  }
}

/** The state that the stages of one call share. Exported for watch.ts, which stays open where a call ends. */
export class Call {
  readonly command: Command
  readonly services: Services
  readonly context: CallContext
  readonly principal: Principal

  constructor(command: Command, services: Services, context: CallContext, principal: Principal) {
    this.command = command
    this.services = services
    this.context = context
    this.principal = principal
  }

  async answer(rawInput: unknown, emit: Emit<unknown>): Promise<Answer> {
    const { command, principal, services } = this
    try {
      allow(command, principal, this.context.org)
    } catch (error) {
      await this.auditFailure(error, rawInput)
      throw error
    }
    await takeRate(services.rates, command, principal, this.context)
    const input = parseInput(command, rawInput)
    holdToLink(principal, command, input)
    if (command.effect !== 'read') return this.write(input, emit)
    const output = await command.handler(input, handlerContext(this, this.tenant(), input), emit)
    return checkOutput(command, output, input)
  }

  async write(input: Answer, emit: Emit<unknown>): Promise<Answer> {
    const { command, principal } = this
    const tenant = this.tenant()
    const claim = await claimKey(tenant, command, principal, this.context.idempotencyKey, input)
    const output = claim?.stored ?? (await this.commit(input, claim))
    if (!command.follow) return output
    return checkOutput(command, await command.follow(output, input, handlerContext(this, tenant, input), emit), input)
  }

  /** The rows, the stored answer and the audit event commit together; the audit chain's head is locked last. */
  async commit(input: Answer, claim: Claim | undefined): Promise<Answer> {
    const { command, principal } = this
    const tenant = this.tenant()
    try {
      await command.prepare?.(input, handlerContext(this, tenant, input))
      return await tenant.tx(async (tx) => {
        await useUpLink(tx, principal)
        const output = checkOutput(
          command,
          await command.handler(input, handlerContext(this, tx, input, tx), refuseEmit),
          input,
        )
        if (claim) await storeAnswer(tx, claim, command, output)
        await appendAudit(tx, {
          command,
          principal,
          context: this.context,
          target: command.target?.(input, output),
          result: 'ok',
        })
        return output
      })
    } catch (error) {
      if (claim) await releaseKey(tenant, claim, error)
      await this.auditFailure(error, input)
      throw error
    }
  }

  /** A refused write is on record too. What was never a caller's doing (a lost database) is in the log instead. */
  async auditFailure(error: unknown, input: unknown): Promise<void> {
    const { command, principal } = this
    if (command.effect === 'read' || !(error instanceof CommandError) || errorTable[error.code].status >= 500) return
    const target = typeof input === 'object' && input !== null ? safeTarget(command, input as Answer) : undefined
    await this.tenant().tx((tx) =>
      appendAudit(tx, { command, principal, context: this.context, target, result: error.code }),
    )
  }

  /** As whom the statements run: the caller's org, or where none is meant the person. */
  tenant(): TenantDatabase {
    const { org, user } = this.principal
    return this.services.db.tenant(org.id, this.command.access.tenant === false ? user?.id : undefined)
  }
}

function safeTarget(command: Command, input: Answer): string | undefined {
  try {
    return command.target?.(input, undefined)
  } catch {
    return undefined // the input was never parsed
  }
}
