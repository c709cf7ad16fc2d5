import type { GenericOAuthConfig } from 'better-auth/plugins'

/** An outside place where people can sign in. */
export interface Provider {
  /** In addresses and in the database. */
  id: 'oidc' | 'google' | 'github'
  /** What people see on the button. */
  name: string
  clientId: string
  clientSecret: string
  /** OIDC's issuer; GitHub's own address. */
  issuer: string
}

/** Where the provider sends people back to. */
const callbackOf = ({ id }: Pick<Provider, 'id'>, origin: string): string =>
  `${origin}/auth/callback${id === 'oidc' ? '' : `/${id}`}`

/** A provider in better-auth's words. Everybody's e-mail address must be one that the provider has verified. */
export function providerConfig(provider: Provider, origin: string): GenericOAuthConfig {
  const { id, name, clientId, clientSecret, issuer } = provider
  const base = {
    providerId: id,
    name,
    clientId,
    clientSecret,
    redirectURI: callbackOf(provider, origin),
    pkce: true,
    requireEmailVerification: true,
  }
  if (id === 'github') return { ...base, ...github(issuer) }
  return {
    ...base,
    discoveryUrl: `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    requireIdTokenVerification: true,
    accountSubject: ({ tokens }) => subjectOf(tokens.idToken ?? '', issuer),
    scopes: ['openid', 'email', 'profile'],
  }
}

/**
 * The person, by an ID token that better-auth has verified: by the issuer that the discovery document names, which must be
 * the one that was configured (OpenID Connect Discovery, 4.3).
 */
function subjectOf(idToken: string, issuer: string): string {
  const { iss, sub } = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString() || '{}')
  const plain = (url: unknown) => String(url).replace(/\/$/, '')
  if (plain(iss) !== plain(issuer)) throw new Error(`The provider calls itself ${iss}, and ${issuer} is configured`)
  return String(sub)
}

interface GithubUser {
  id: number
  login: string
  name: string | null
}
interface GithubEmail {
  email: string
  primary: boolean
  verified: boolean
}

/** GitHub speaks OAuth 2 and not OIDC: who it is and their verified addresses come from its API. */
function github(issuer: string): Pick<GenericOAuthConfig, 'authorizationUrl' | 'tokenUrl' | 'scopes' | 'getUserInfo'> {
  const site = issuer.replace(/\/$/, '')
  const api = site === 'https://github.com' ? 'https://api.github.com' : `${site}/api/v3`
  const get = async <Body>(path: string, token: string): Promise<Body> => {
    const answer = await fetch(api + path, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'molar' },
      signal: AbortSignal.timeout(10_000),
    })
    if (!answer.ok) throw new Error(`GitHub answers ${answer.status} at ${path}`)
    return (await answer.json()) as Body
  }
  return {
    authorizationUrl: `${site}/login/oauth/authorize`,
    tokenUrl: `${site}/login/oauth/access_token`,
    scopes: ['read:user', 'user:email'],
    async getUserInfo({ accessToken = '' }) {
      const [user, emails] = await Promise.all([
        get<GithubUser>('/user', accessToken),
        get<GithubEmail[]>('/user/emails', accessToken),
      ])
      const primary = emails.find((one) => one.primary && one.verified)
      if (!primary) return null
      return { id: String(user.id), email: primary.email, emailVerified: true, name: user.name ?? user.login }
    },
  }
}
