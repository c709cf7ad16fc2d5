import { createPrivateKey } from 'node:crypto'
import {
  type Configuration,
  errors,
  interactionPolicy,
  type JWK,
  type KoaContextWithOIDC,
  Provider,
  type ResourceServer,
} from 'oidc-provider'
import type { Logger } from 'pino'
import type { Database } from '../../core/context.ts'
import { CommandError } from '../../core/errors.ts'
import type { Keyring } from '../../core/keyring.ts'
import { scopeNames } from '../../core/principal.ts'
import { type Limits, signInLimits } from '../limits.ts'
import { makeAdapter } from './adapter.ts'
import { cliClient, clientDefaults, mendMetadata } from './clients.ts'
import { tellClient } from './errors.ts'
import type { OAuthPages, ShownPage } from './pages.ts'
import { record } from './record.ts'
import { defaultScope, isResource, oauthFingerprint, oauthPaths, resourceOf } from './resource.ts'
import { holdsGrant } from './store.ts'

export interface OAuthOptions {
  /** Where this server is reached: the issuer, without a trailing slash. */
  issuer: string
  db: Database
  keyring: Keyring
  pages: OAuthPages
  /** Asks an address that an app gave, and nothing inside. */
  fetch(
    url: string,
    options: { method?: string; headers?: HeadersInit; signal?: AbortSignal | null },
  ): Promise<Response>
  /** The person whose Molar session this request shows. */
  personOf(ctx: KoaContextWithOIDC): Promise<string | undefined>
  log: Logger
}

const hour = 3600
const day = 24 * hour

/** The authorization server: OAuth 2.1 for apps that act for a person, under /api/oauth. */
export function makeProvider(options: OAuthOptions): Provider {
  const limits = signInLimits(options.db.system)
  const provider = new Provider(options.issuer, configuration(options, limits))
  // The server behind has put the public address and the caller's own into the forwarding headers.
  provider.proxy = true
  provider.use(async (ctx, next) => {
    const { method, path } = ctx
    const typed = path === oauthPaths.verify
    // A link with the code in it fills the form in, and the person still sends it.
    if (typed && method === 'GET') {
      ctx.state.userCode = String(ctx.query.user_code ?? '')
      ctx.query = {}
    }
    const what = typed && method === 'POST' ? 'device_code' : asksAnew.has(path) ? 'app_request' : undefined
    if (what) {
      const refused = await limits.take(what, ctx.ip).catch((error: unknown) => error)
      if (refused !== undefined && !(refused instanceof CommandError)) throw refused
      if (refused) {
        ctx.status = 429
        if (path !== oauthPaths.device) return show(ctx, options.pages.error(refused.message))
        ctx.body = { error: 'temporarily_unavailable', error_description: refused.message }
        return
      }
    }
    await next()
    const { oidc } = ctx as unknown as Partial<KoaContextWithOIDC>
    if (what === 'device_code' && oidc) await recordCode(ctx as KoaContextWithOIDC, options.db)
    if ((oidc as { route?: string } | undefined)?.route === 'discovery') ctx.body = onlyOAuth(ctx.body as object)
  })
  recordRefusals(provider, options, limits)
  provider.on('server_error', (_ctx, error) => options.log.error({ err: error }, 'the OAuth server failed'))
  return provider
}

/** Each leaves something behind in the database, and anybody may ask. */
const asksAnew: ReadonlySet<string> = new Set([oauthPaths.authorize, oauthPaths.device])

/** What came of a code that a person typed. */
async function recordCode(ctx: KoaContextWithOIDC, db: Database): Promise<void> {
  const wrong = ctx.state.wrongCode as Error | undefined
  if (!wrong && ctx.status >= 400) return // what the form itself was refused for
  const target = ctx.oidc.entities.DeviceCode?.clientId
  await record(db, 'apps.device', { ctx, target, ...(wrong && { result: wrong.name }) })
}

/** What an app was refused. No more of one address than its share: anybody may ask. */
function recordRefusals(provider: Provider, { db, log }: OAuthOptions, limits: Limits): void {
  const refused = (happening: Parameters<typeof record>[1]) => async (ctx: KoaContextWithOIDC, error: Error) => {
    const { error: result = error.name, status = 400 } = error as Error & { error?: string; status?: number }
    // A device asks until somebody has answered.
    if (status >= 429 || result === 'authorization_pending' || result === 'slow_down') return
    const target = String(ctx.oidc.client?.clientId ?? ctx.oidc.params?.client_id ?? '') || undefined
    try {
      await limits.take('app_refusal', ctx.ip)
      await record(db, happening, { ctx, target, result })
    } catch (cause) {
      log.warn({ err: cause, refused: result, client: target }, 'a refusal is not in the audit trail')
    }
  }
  provider.on('grant.error', refused('apps.token'))
  provider.on('registration_create.error', refused('apps.register'))
  provider.on('revocation.error', refused('apps.revoke'))
  provider.on('device_authorization.error', refused('apps.device'))
}

function configuration(options: OAuthOptions, limits: Limits): Configuration {
  const { issuer, db, keyring, pages } = options
  const fingerprintOf = (token: string) => oauthFingerprint(keyring, token, issuer)
  return {
    adapter: makeAdapter({ db, keyring, limits, fingerprintOf, resource: resourceOf(issuer) }),
    clients: [cliClient],
    clientDefaults,
    // Any one property: the validator sees, and mends, the whole.
    extraClientMetadata: { properties: ['software_id'], validator: (_ctx, _key, _value, all) => mendMetadata(all) },
    cookies: { names: cookieNames(issuer) },
    features: features(options, limits),
    fetch: (url: unknown, given: object = {}) => options.fetch(String(url), given),
    findAccount: async (_ctx, accountId, token) => {
      const grantId = token && 'grantId' in token ? token.grantId : undefined
      const holds = await holdsGrant(db.system, accountId, grantId)
      return holds ? { accountId, claims: async () => ({ sub: accountId }) } : undefined
    },
    interactions: { policy: policy(options), url: (_ctx, { uid }) => `${oauthPaths.consent}/${uid}` },
    // A grant holds for one consent: apps prove their names to nobody, so each sign-in of one is asked about (RFC 8252, 8.6).
    loadExistingGrant: async ({ oidc }) => {
      const grantId = oidc.result?.consent?.grantId
      return grantId === undefined ? undefined : oidc.provider.Grant.find(grantId)
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    revokeGrantPolicy: () => true,
    jwks: { keys: [signingKey(keyring)] },
    pkce: { required: () => true },
    responseTypes: ['code'],
    scopes: [...scopeNames, 'offline_access'],
    renderError: async (ctx, out) => show(ctx, pages.error(out.error_description ?? out.error)),
    routes: {
      authorization: oauthPaths.authorize,
      token: oauthPaths.token,
      registration: oauthPaths.register,
      revocation: oauthPaths.revoke,
      introspection: oauthPaths.introspect,
      device_authorization: oauthPaths.device,
      code_verification: oauthPaths.verify,
    },
    ttl: {
      AccessToken: hour,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 365 * day, // then the person is asked again, however much the app is used
      Interaction: hour,
      RefreshToken: ({ oidc }) => Math.min(90 * day, oidc.entities.Grant?.remainingTTL ?? 0),
      Session: hour,
    },
  }
}

/** Over https no other host, and no page of plain http, can set them. Those of one question have its path, so no `__Host-`. */
function cookieNames(issuer: string) {
  const [host, secure] = issuer.startsWith('https:') ? ['__Host-', '__Secure-'] : ['', '']
  return {
    session: `${host}molar_oauth`,
    interaction: `${secure}molar_oauth_consent`,
    resume: `${secure}molar_oauth_resume`,
  }
}

function features({ issuer, pages }: OAuthOptions, limits: Limits): Configuration['features'] {
  const off = { enabled: false }
  const codePage = (ctx: KoaContextWithOIDC, userCode: string, problem?: string) =>
    show(
      ctx,
      pages.enterCode({
        action: oauthPaths.verify,
        xsrf: String(ctx.oidc.session?.state?.secret ?? ''),
        userCode,
        problem,
      }),
    )
  return {
    devInteractions: off,
    dPoP: off,
    pushedAuthorizationRequests: off,
    rpInitiatedLogout: off,
    userinfo: off,
    clientIdMetadataDocument: {
      enabled: true,
      ack: 'draft-02',
      async allowFetch(ctx) {
        await limits.take('app_document', ctx.ip).catch(tellClient)
        return true
      },
    },
    deviceFlow: {
      enabled: true,
      async userCodeInputSource(ctx, _form, _out, error) {
        // Of a form whose session has run out. What would be asked for anew could not be kept, so it is asked for by a page.
        const { session } = ctx.oidc as unknown as { session: { exp?: number; touched: boolean } }
        if (error && session.exp === undefined) {
          session.touched = false
          return show(ctx, pages.error(`This form has run out. Open ${issuer}${oauthPaths.verify} again.`))
        }
        ctx.state.wrongCode = error
        const userCode = error && 'userCode' in error ? String(error.userCode ?? '') : ctx.state.userCode
        codePage(ctx, userCode, wrongCode(error))
      },
      userCodeConfirmSource: async (ctx, _form, _client, _device, userCode) => codePage(ctx, userCode),
      successSource: async (ctx) => show(ctx, pages.codeDone()),
    },
    introspection: { enabled: true, allowedPolicy: ownToken },
    registration: { enabled: true, issueRegistrationAccessToken: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => resourceOf(issuer),
      useGrantedResource: async () => true,
      getResourceServerInfo: async (ctx, resource) => resourceServer(ctx, resource, issuer),
    },
    revocation: { enabled: true, allowedPolicy: ownToken },
  }
}

/** A client looks at, and ends, nobody's tokens but its own. */
const ownToken = async (_ctx: unknown, client: { clientId: string }, token: { clientId?: string | undefined }) =>
  token.clientId === client.clientId

/** The one resource there is, under each name that clients have for it. */
function resourceServer(ctx: KoaContextWithOIDC, resource: string, issuer: string): ResourceServer {
  if (!isResource(resource, issuer)) throw new errors.InvalidTarget(`the resource here is ${resourceOf(issuer)}`)
  const { params, route } = ctx.oidc as { params?: { scope?: string }; route: string }
  // Who asks for nothing in particular gets what most need; the person sees it, and may say no.
  if (
    params &&
    asking.has(route) &&
    !params.scope?.split(' ').some((scope) => scopeNames.some((name) => name === scope))
  )
    params.scope = defaultScope
  return {
    scope: scopeNames.join(' '),
    audience: resourceOf(issuer),
    accessTokenFormat: 'opaque',
    accessTokenTTL: hour,
  }
}

const asking = new Set(['authorization', 'device_authorization'])

/** Somebody must be signed in to Molar, and must say yes to this very request. */
function policy({ personOf }: OAuthOptions) {
  const { base, Check, Prompt } = interactionPolicy
  const prompts = base()
  prompts.clear()
  const signedIn = new Check('no_session', 'nobody is signed in', async (ctx) => {
    if (ctx.oidc.session?.accountId) return false
    // The page that asks for consent also looks who is signed in. Who may not be asked is told which of the two is missing.
    return !(ctx.oidc.prompts.has('none') && (await personOf(ctx)) !== undefined)
  })
  const agreed = new Check('not_agreed', 'nobody has agreed to this', (ctx) => !ctx.oidc.result?.consent)
  prompts.add(new Prompt({ name: 'login', requestable: true }, signedIn))
  prompts.add(new Prompt({ name: 'consent', requestable: true }, agreed))
  return prompts
}

function wrongCode(error: unknown): string | undefined {
  if (!error) return undefined
  const { name } = error as Error
  if (name === 'AbortedError') return 'You said no. The device that asked has been told; you can close this page.'
  return name === 'NotFoundError' || name === 'NoCodeError' || name === 'ExpiredError' || name === 'AlreadyUsedError'
    ? 'This code is not right, has run out or was used. Check it, or start again where you got it.'
    : 'That did not work. Start again where you got the code.'
}

function show(ctx: Pick<KoaContextWithOIDC, 'type' | 'set' | 'body'>, { html, headers }: ShownPage): void {
  ctx.type = 'html'
  ctx.set(headers)
  ctx.body = html
}

/** oidc-provider also speaks OpenID Connect. Nothing here issues an ID token, so none of that is promised. */
function onlyOAuth(metadata: object): object {
  const oidc = /^(id_token_|claim|subject_types|request_parameter|request_uri|acr_)/
  const kept = Object.entries(metadata).filter(([name]) => !oidc.test(name) && name !== 'jwks_uri')
  return { ...Object.fromEntries(kept), response_modes_supported: ['query'] }
}

/** oidc-provider wants a key, though nothing is ever signed with it. */
function signingKey(keyring: Keyring): JWK {
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), keyring.oauth()[0]])
  const key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  return { ...(key.export({ format: 'jwk' }) as JWK), use: 'sig', alg: 'EdDSA' }
}
