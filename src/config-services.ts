import type { Provider } from './auth/providers.ts'
import { type Get, url } from './config-values.ts'
import type { S3Options } from './core/blobs/index.ts'
import { fail } from './core/errors.ts'

/** Services outside that Molar uses where the environment names them: each is turned on by one variable, and then whole. */

export function lago(get: Get): { url: string; key: string } | undefined {
  const place = url(get, 'LAGO_API_URL', ['http:', 'https:'])?.replace(/\/+$/, '')
  if (place === undefined) return undefined
  return {
    url: place,
    key: get('LAGO_API_KEY') ?? fail('bad_request', 'LAGO_API_URL is set, so LAGO_API_KEY must be as well.'),
  }
}

/** A bucket is what turns S3 on; the rest must then be whole. */
export function s3(get: Get): S3Options | undefined {
  const bucket = get('MOLAR_S3_BUCKET')
  if (bucket === undefined) return undefined
  const needed = (name: string) =>
    get(name) ?? fail('bad_request', `MOLAR_S3_BUCKET is set, so ${name} must be as well.`)
  const region = get('MOLAR_S3_REGION') ?? 'us-east-1'
  const prefix = get('MOLAR_S3_PREFIX')?.replace(/^\/+|\/+$/g, '')
  return {
    endpoint:
      url(get, 'MOLAR_S3_ENDPOINT', ['http:', 'https:'])?.replace(/\/+$/, '') ?? `https://s3.${region}.amazonaws.com`,
    bucket,
    region,
    accessKeyId: needed('MOLAR_S3_ACCESS_KEY_ID'),
    secretAccessKey: needed('MOLAR_S3_SECRET_ACCESS_KEY'),
    prefix: prefix ? `${prefix}/` : '',
  }
}

/** A client's id is what turns a provider on; the rest must then be whole. */
export function providers(get: Get): Provider[] {
  const needed = (name: string, because: string) =>
    get(name) ?? fail('bad_request', `${because} is set, so ${name} must be as well.`)
  const found: Provider[] = []
  const oidc = get('MOLAR_OIDC_CLIENT_ID')
  if (oidc !== undefined) {
    const clientSecret = needed('MOLAR_OIDC_CLIENT_SECRET', 'MOLAR_OIDC_CLIENT_ID')
    const name = get('MOLAR_OIDC_NAME') ?? 'single sign-on'
    needed('MOLAR_OIDC_ISSUER', 'MOLAR_OIDC_CLIENT_ID')
    const issuer = url(get, 'MOLAR_OIDC_ISSUER', ['http:', 'https:'])!
    found.push({ id: 'oidc', name, clientId: oidc, clientSecret, issuer })
  }
  const google = get('MOLAR_GOOGLE_CLIENT_ID')
  if (google !== undefined) {
    const clientSecret = needed('MOLAR_GOOGLE_CLIENT_SECRET', 'MOLAR_GOOGLE_CLIENT_ID')
    found.push({ id: 'google', name: 'Google', clientId: google, clientSecret, issuer: 'https://accounts.google.com' })
  }
  const github = get('MOLAR_GITHUB_CLIENT_ID')
  if (github !== undefined) {
    const clientSecret = needed('MOLAR_GITHUB_CLIENT_SECRET', 'MOLAR_GITHUB_CLIENT_ID')
    const issuer = url(get, 'MOLAR_GITHUB_URL', ['http:', 'https:']) ?? 'https://github.com'
    found.push({ id: 'github', name: 'GitHub', clientId: github, clientSecret, issuer })
  }
  return found
}
