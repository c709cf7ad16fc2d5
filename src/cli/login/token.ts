import { type Login, readLogin, writeLogin } from './kept.ts'
import { refresh } from './server.ts'

/** A token that runs out within this many milliseconds is renewed before it is used. */
const early = 60_000

/** The login's token, renewed where it is about to run out, and kept for the next call of the CLI. */
export async function freshToken(file: string, login: Login, signal: AbortSignal): Promise<string> {
  // Another process may have renewed it meanwhile.
  const kept = (await readLogin(file)) ?? login
  const current = kept.api_url === login.api_url ? kept : login
  const { refresh_token, expires_at } = current
  if (refresh_token === undefined || expires_at === undefined) return current.token
  if (Date.parse(expires_at) - Date.now() > early) return current.token
  const renewed = await refresh(current, signal)
  await writeLogin(file, renewed)
  return renewed.token
}
