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
    // A link with the code in it fills the form in, and the person still sends it.
    if (ctx.method === 'GET' && ctx.path === oauthPaths.verify) {
      ctx.state.userCode = String(ctx.query.user_code ?? '')
      ctx.query = {}
    }
    if (ctx.method === 'POST' && ctx.path === oauthPaths.verify) {
      const refused = await limits.take('device_code', ctx.ip).catch((error: unknown) => error)
      if (refused !== undefined && !(refused instanceof CommandError)) throw refused
      if (refused) {
        ctx.status = 429
        return show(ctx, options.pages.error(refused.message))
      }
    }
    await next()
    if ((ctx.oidc as { route?: string } | undefined)?.route === 'discovery') ctx.body = onlyOAuth(ctx.body as object)
  })
  provider.on('server_error', (_ctx, error) => options.log.error({ err: error }, 'the OAuth server failed'))
  return provider
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
      Grant: 3650 * day, // it ends when it is revoked, or when nothing hangs on it any more
      Interaction: hour,
      RefreshToken: 90 * day,
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
      userCodeInputSource: async (ctx, _form, _out, error) =>
        codePage(
          ctx,
          error && 'userCode' in error ? String(error.userCode ?? '') : ctx.state.userCode,
          wrongCode(error),
        ),
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
