import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Provider } from 'oidc-provider'
import type { CallContext, Database } from '../../core/context.ts'
import { fail } from '../../core/errors.ts'
import { newId } from '../../core/ids.ts'
import type { Keyring } from '../../core/keyring.ts'
import { type Principal, type Scope, scopeNames } from '../../core/principal.ts'
import { appendAudit } from '../../core/stages/audit.ts'
import { recordFingerprint } from './resource.ts'
import { shownName } from './shown-name.ts'
import { consumeRecord, insertGrant, releaseRecord } from './store.ts'

/** What a person is asked: whether this app may act for them. */
export interface Asked {
  uid: string
  client: { id: string; name: string }
  /** Where the answer goes, as a person can read it; null for a device, which waits by itself. */
  redirectHost: string | null
  /** The same for the page's policy: what its form may lead to. */
  redirectOrigin: string | null
  scopes: Scope[]
  resources: string[]
}

const gone = 'This request has run out, or was answered. Start again from the app.'

const detailsOf = (provider: Provider, request: IncomingMessage, reply: ServerResponse) =>
  provider.interactionDetails(request, reply).catch(async (cause: unknown) => {
    const { errors } = await import('oidc-provider') // heavy: pages must not load it at the start
    if (!(cause instanceof errors.SessionNotFound)) throw cause
    return fail('not_found', gone, { cause })
  })

/** The question that this browser was sent here with. Throws not_found where there is none, or it has run out. */
export async function readAsked(provider: Provider, request: IncomingMessage, reply: ServerResponse): Promise<Asked> {
  const { uid, params } = await detailsOf(provider, request, reply)
  const { client_id, redirect_uri, scope, resource } = params as Record<string, string | undefined>
  const id = client_id ?? ''
  const client =
    (await provider.Client.find(id)) ?? fail('not_found', 'This app is not registered any more. Start again from it.')
  const wanted = new Set(scope?.split(' '))
  return {
    uid,
    client: { id, name: shownName(client.clientName, id) },
    ...place(redirect_uri),
    scopes: scopeNames.filter((name) => wanted.has(name)),
    resources: [resource ?? []].flat(),
  }
}

function place(redirectUri: string | undefined): { redirectHost: string | null; redirectOrigin: string | null } {
  const url = redirectUri === undefined ? null : URL.parse(redirectUri)
  if (!url) return { redirectHost: null, redirectOrigin: null }
  const isWeb = ['http:', 'https:'].includes(url.protocol)
  // What stands for the host of `cursor://…` is the app's own business; its scheme is what the system goes by.
  return { redirectHost: isWeb ? url.host : url.protocol, redirectOrigin: isWeb ? url.origin : url.protocol }
}

export interface Answering {
  provider: Provider
  request: IncomingMessage
  reply: ServerResponse
  db: Database
  keyring: Keyring
  principal: Principal
  context: CallContext
}

/** A form that is sent twice is answered once, and leads where the first one does. */
async function answerOnce(answering: Answering, { uid }: Asked, answer: () => Promise<string>): Promise<string> {
  const { provider, request, reply, db, keyring } = answering
  const fingerprint = recordFingerprint(keyring, 'Interaction', uid)
  if (await consumeRecord(db.system, 'Interaction', fingerprint)) {
    try {
      return await answer()
    } catch (error) {
      await releaseRecord(db.system, 'Interaction', fingerprint)
      throw error
    }
  }
  for (let tries = 0; tries < 40; tries++) {
    const { result, returnTo } = await detailsOf(provider, request, reply)
    if (result) return returnTo
    await sleep(50)
  }
  return fail('not_found', gone)
}

/**
 * Lets the app act for this person in their principal's org, with the scopes that it asked for. The grant and its audit
 * event commit together. Answers where to go on.
 */
export const approve = (answering: Answering, asked: Asked): Promise<string> =>
  answerOnce(answering, asked, async () => {
    const { provider, request, reply, db, principal, context } = answering
    const { client, redirectHost, scopes, resources } = asked
    const jti = newId()
    const { org } = principal
    const userId = principal.user?.id ?? fail('forbidden', 'Only a person can let an app act for them.')
    const grant = { id: jti, userId, orgId: org.id, clientId: client.id, clientName: client.name, redirectHost, scopes }
    await db.tenant(org.id, userId).tx(async (tx) => {
      if (!(await insertGrant(tx, grant))) fail('forbidden', 'You are not a member of this org any more.')
      await appendAudit(tx, { command: { name: 'apps.connect' }, principal, context, target: jti, result: 'ok' })
    })
    const granted = new provider.Grant({ accountId: userId, clientId: client.id, jti } as object)
    for (const resource of resources) granted.addResourceScope(resource, scopes.join(' '))
    await granted.save()
    const result = { login: { accountId: userId }, consent: { grantId: jti } }
    return provider.interactionResult(request, reply, result, { mergeWithLastSubmission: false })
  })

/** The principal is the person, in no org. */
export const deny = (answering: Answering, asked: Asked): Promise<string> =>
  answerOnce(answering, asked, async () => {
    const { provider, request, reply, db, principal, context } = answering
    const [command, target, result] = [{ name: 'apps.connect' }, asked.client.id, 'access_denied'] as const
    await db.tenant(principal.org.id).tx((tx) => appendAudit(tx, { command, principal, context, target, result }))
    const said = { error: result, error_description: 'the person said no' }
    return provider.interactionResult(request, reply, said, { mergeWithLastSubmission: false })
  })
