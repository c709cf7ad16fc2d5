import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../core/errors.ts'
import type { Login } from './kept.ts'

/** `molar login` is known to every server by this name. */
const clientId = 'molar-cli'

interface Metadata {
  issuer: string
  token_endpoint: string
  revocation_endpoint: string
  device_authorization_endpoint: string
  scopes_supported: string[]
}

export interface Device {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete?: string
  expires_in: number
  interval?: number
}

/** What the server at this address says of its logins. */
export async function readMetadata(apiUrl: string, signal: AbortSignal): Promise<Metadata> {
  const response = await ask(`${apiUrl}/.well-known/oauth-authorization-server`, undefined, signal)
  const metadata = (await response.json().catch(() => ({}))) as Metadata
  if (!response.ok || !metadata.device_authorization_endpoint)
    fail('unavailable', `${apiUrl} has no logins. Use a key: molar login --api-url ${apiUrl} --token -`)
  if (metadata.issuer !== apiUrl)
    fail(
      'bad_request',
      `${apiUrl} calls itself ${metadata.issuer}. Log in there: molar login --api-url ${metadata.issuer}`,
    )
  return metadata
}

export async function startDevice(metadata: Metadata, signal: AbortSignal): Promise<Device> {
  const scope = metadata.scopes_supported.filter((name) => name !== 'offline_access').join(' ')
  return read(await ask(metadata.device_authorization_endpoint, { client_id: clientId, scope }, signal))
}

/** Asks again and again until the person has answered. Throws where they said no, or not in time. */
export async function awaitDevice(
  metadata: Metadata,
  device: Device,
  apiUrl: string,
  signal: AbortSignal,
): Promise<Login> {
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code }
  for (let wait = device.interval ?? 5; ; ) {
    await sleep(wait * 1000, undefined, { signal }).catch(stopped)
    const response = await ask(metadata.token_endpoint, { ...grant, client_id: clientId }, signal)
    if (response.ok) return loginOf(apiUrl, await read(response))
    const { error } = (await response.json().catch(() => ({}))) as { error?: string }
    if (error === 'slow_down') wait += 5
    else if (error === 'access_denied') fail('forbidden', 'You said no in the browser. Nothing was kept.')
    else if (error === 'expired_token') fail('unauthorized', 'Nobody answered in time. `molar login` starts again.')
    else if (error !== 'authorization_pending' && response.status < 500)
      fail('unauthorized', `${apiUrl} refused the login: ${error ?? response.status}.`)
  }
}

/** A new token for one that runs out. */
export async function refresh(login: Login, signal: AbortSignal): Promise<Login> {
  const { token_endpoint } = await readMetadata(login.api_url, signal)
  const grant = { grant_type: 'refresh_token', refresh_token: login.refresh_token ?? '', client_id: clientId }
  const response = await ask(token_endpoint, grant, signal)
  if (response.status < 500 && !response.ok)
    fail('unauthorized', `Your login at ${login.api_url} has ended. \`molar login\` starts a new one.`)
  return loginOf(login.api_url, await read(response))
}

/** Ends a login on the server: its tokens fail at their next use. */
export async function revoke(login: Login, signal: AbortSignal): Promise<void> {
  if (login.refresh_token === undefined) return
  const { revocation_endpoint } = await readMetadata(login.api_url, signal)
  const response = await ask(revocation_endpoint, { token: login.refresh_token, client_id: clientId }, signal)
  if (!response.ok) fail('unavailable', `${login.api_url} answered ${response.status}.`)
}

interface Tokens {
  access_token: string
  refresh_token?: string
  expires_in?: number
}

const loginOf = (apiUrl: string, tokens: Tokens): Login => ({
  api_url: apiUrl,
  token: tokens.access_token,
  refresh_token: tokens.refresh_token,
  expires_at:
    tokens.expires_in === undefined ? undefined : new Date(Date.now() + tokens.expires_in * 1000).toISOString(),
})

async function ask(url: string, form: Record<string, string> | undefined, signal: AbortSignal): Promise<Response> {
  const init = form && { method: 'POST', body: new URLSearchParams(form) }
  return fetch(url, { ...init, signal, redirect: 'error' }).catch((cause: Error) => {
    if (signal.aborted) stopped(cause)
    return fail(
      'unavailable',
      `No answer from ${new URL(url).origin}: ${(cause.cause as Error | undefined)?.message ?? cause.message}.`,
      { cause },
    )
  })
}

async function read<Answer>(response: Response): Promise<Answer> {
  if (response.ok) return (await response.json()) as Answer
  return fail('unavailable', `The server answered ${response.status}: ${(await response.text()).slice(0, 200)}`)
}

function stopped(cause: unknown): never {
  fail('cancelled', 'Stopped.', { cause })
}
