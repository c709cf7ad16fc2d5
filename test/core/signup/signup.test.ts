import t from 'tap'
import { cliHere } from '../../fixtures/run-here.ts'
import { signedIn } from '../../fixtures/signed-in.ts'
import { world } from '../../fixtures/world.ts'

// An agent opens an org for a person, and the person makes it theirs.

const here = await world(t, { environment: { AGENT_SIGNUP_ENABLED: 'true' } })
const { mails, person, sql } = await signedIn(t, here)
const start = (human_email: string, more = {}) =>
  here.rest('POST /api/v1/agent-signup', { human_email, display_name: 'Helper', ...more }, { authorization: '' })
const as = (key: string) => ({ authorization: `Bearer ${key}` })
const verify = (key: string, verification_code: string) =>
  here.rest('POST /api/v1/agent-signup/verify', { verification_code }, as(key))
const status = (key: string) => here.rest('GET /api/v1/agent-signup/status', undefined, as(key))
const codeOf = async (email: string) => /^\d{6}$/m.exec((await mails(email)).at(-1)!.text)![0]
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

t.test('a key at once, more scopes with the code, and the org belongs to the person', async (t) => {
  const started = await start('grace@example.com', { note_to_human: 'I test your shop.', harness: 'cursor' })
  t.match(started, { status: 201, body: { api_key: /^molar_svc_/, status: 'unclaimed' } })
  const { api_key: key, org_id } = started.body
  const [mail] = await mails('grace@example.com')
  t.match(mail!.text, /I test your shop\./)
  t.match((await here.rest('GET /v1/me', undefined, as(key))).body, {
    org: { id: org_id },
    role: 'maintainer',
    scopes: ['mcp:read', 'mcp:run'],
  })
  t.match(await here.rest('POST /v1/scenarios', { content: '' }, as(key)), {
    status: 403,
    body: { error: 'insufficient_scope' },
  })
  t.match((await status(key)).body, {
    claim_status: 'pending',
    restrictions: [/mcp:write/, /clones/, /debugger/],
    entitlements: { plan: 'pending' },
  })
  const code = await codeOf('grace@example.com')
  const [stored] = await sql("select encode(code, 'escape') as code from agent_signups where org_id = $1", [org_id])
  t.notMatch(stored.code, code, 'the code is kept as a hash')
  t.match(await verify(key, wrong(code)), { status: 403, body: { message: /4 tries/ } })
  t.match(await verify(key, code), {
    status: 200,
    body: {
      status: 'claimed',
      scopes_upgraded: ['mcp:write', 'mcp:trace:read'],
      mcp_install_url: `${here.url}/install`,
    },
  })
  t.equal((await verify(key, code)).status, 409)
  t.match((await status(key)).body, { claim_status: 'verified', restrictions: [], entitlements: { plan: 'free' } })
  t.same((await here.rest('GET /v1/me', undefined, as(key))).body.scopes.sort(), [
    'mcp:read',
    'mcp:run',
    'mcp:trace:read',
    'mcp:write',
  ])
  const [owner] = await sql(
    `select u.email, u.email_verified, m.role, o.status from members m join users u on u.id = m.user_id join orgs o on o.id = m.org_id where o.id = $1`,
    [org_id],
  )
  t.same(owner, { email: 'grace@example.com', email_verified: true, role: 'owner', status: 'running' })
})

t.test('five tries, then the right code is wrong too; a code that has run out; an address with too many', async (t) => {
  const { api_key: key, org_id } = (await start('alan@example.com')).body
  const code = await codeOf('alan@example.com')
  const tries = await Promise.all(Array.from({ length: 5 }, () => verify(key, wrong(code))))
  t.same(
    tries.map(({ status }) => status),
    [403, 403, 403, 403, 403],
  )
  t.match(await verify(key, code), { status: 403, body: { message: /Sign up again/ } })
  t.match((await status(key)).body, { claim_status: 'expired' })
  t.equal((await sql('select from members where org_id = $1', [org_id])).length, 0)

  const { api_key: late } = (await start('alan@example.com')).body
  await sql(`update agent_signups set code_expires_at = now() where org_id <> $1 and email = 'alan@example.com'`, [
    org_id,
  ])
  t.equal((await verify(late, await codeOf('alan@example.com'))).status, 403)
  await start('alan@example.com')
  t.equal((await start('Alan@Example.com')).status, 429)
})

t.test('an account that nobody confirmed is given no org', async (t) => {
  await person('squatter', { verified: false })
  const { api_key: key } = (await start('squatter@example.com')).body
  t.equal((await verify(key, await codeOf('squatter@example.com'))).status, 409)
})

t.test('the CLI has it under the names of the contract', async (t) => {
  const started = await cliHere(here, [
    'agent',
    'signup',
    '--human-email',
    'cli@example.com',
    '--name',
    'Bot',
    '--json',
  ])
  t.equal(started.code, 0, started.stderr)
  const { api_key: key } = JSON.parse(started.stdout)
  const code = await codeOf('cli@example.com')
  const verified = await cliHere(here, ['agent', 'signup', 'verify', '--code', code, '--json'], { MOLAR_API_KEY: key })
  t.equal(verified.code, 0, verified.stderr)
  const told = await cliHere(here, ['agent', 'signup', 'status', '--json'], { MOLAR_API_KEY: key })
  t.match(JSON.parse(told.stdout), { claim_status: 'verified' })
})

t.test('where it is off it is not available', async (t) => {
  const off = await world(t)
  const { status, body } = await off.rest('POST /api/v1/agent-signup', {
    human_email: 'a@example.com',
    display_name: 'x',
  })
  t.match({ status, body }, { status: 503, body: { error: 'unavailable' } })
})
