import { pino } from 'pino'
import t from 'tap'
import { makeKeyring } from '../../../src/core/keyring.ts'
import { isWellFormedToken, newToken, tokenKinds, tokenPrefix, warnOfExpiry } from '../../../src/core/keys/index.ts'
import { signLink } from '../../../src/core/links/index.ts'
import { mailJob } from '../../../src/core/mail.ts'
import { serve } from '../../../src/server/serve.ts'
import { openServices } from '../../../src/server/services.ts'
import { connect } from '../../fixtures/mcp.ts'
import { signedIn } from '../../fixtures/signed-in.ts'
import { world } from '../../fixtures/world.ts'

// Keys, personal and service tokens, and one-shot links; on two servers that share a database.

const secret = 'a secret of these tests alone, long enough'
const here = await world(t, { environment: { MOLAR_SECRET: secret } })
const quiet = pino({ level: 'silent' })
const second = await serve(here.config, { log: quiet, version: '0.0.0-test' })
t.teardown(() => second.close())
const { person, org, mails, sql } = await signedIn(t, here)
const keyring = makeKeyring(secret)

const owner = await person('owner')
const viewer = await person('viewer')
const orgId = await org('tokens', [
  [owner, 'owner'],
  [viewer, 'viewer'],
])
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
/** The status of `GET /v1/me` on each server. */
const onBoth = (token: string) =>
  Promise.all(
    [here.url, second.url].map(async (url) => (await fetch(`${url}/v1/me`, { headers: bearer(token) })).status),
  )

t.test('one form for every kind of token: a wrong character is told without a query', async (t) => {
  for (const kind of tokenKinds) {
    const token = newToken(kind)
    t.match(token, new RegExp(`^molar_${kind}_[0-9A-Za-z]{49}$`))
    t.ok(isWellFormedToken(token))
    t.equal(tokenPrefix(token), token.slice(0, `molar_${kind}_`.length + 5))
    const wrong = token.slice(0, -10) + (token.at(-10) === 'a' ? 'b' : 'a') + token.slice(-9)
    t.notOk(isWellFormedToken(wrong))
  }
  t.notOk(isWellFormedToken(newToken().replace('_sk_', '_xx_')))
})

t.test('a token is shown once, is listed without it, notes its use, and ends at once on every server', async (t) => {
  const made = await owner.rest('POST /api/v1/tokens', { name: 'laptop', scopes: ['mcp:read'] })
  t.match(made, { status: 201, body: { kind: 'pat', name: 'laptop', role: 'owner', expires_soon: false } })
  const { token, id } = made.body
  t.match(token, /^molar_pat_/)
  t.same(await onBoth(token), [200, 200])
  t.match(await here.rest('GET /v1/me', undefined, bearer(token)), {
    body: { credential: { kind: 'pat' }, role: 'owner', scopes: ['mcp:read'] },
  })
  const { body: list } = await owner.rest('GET /api/v1/tokens')
  t.match(list, { tokens: [{ id, prefix: token.slice(0, 15) }], count: 1 })
  t.ok(list.tokens[0].last_used_at)
  t.notMatch(JSON.stringify(list), token)
  const [{ rows }] = await sql(`select count(*)::int as rows from audit_events e where e::text like '%' || $1 || '%'`, [
    token,
  ])
  t.equal(rows, 0, 'the audit trail does not have it')
  t.equal((await owner.rest(`DELETE /api/v1/tokens/${id}`)).status, 200)
  t.same(await onBoth(token), [401, 401])

  const { body: key } = await owner.rest('POST /v1/api-keys', { name: 'ci' })
  t.same(await onBoth(key.api_key), [200, 200])
  await owner.rest(`DELETE /v1/api-keys/${key.id}`)
  t.same(await onBoth(key.api_key), [401, 401])
})

t.test(
  'a session that is ended on one server, and a service token that is revoked there, are dead on both',
  async (t) => {
    const guest = await person('guest')
    const status = (headers: Record<string, string>) =>
      Promise.all([here.url, second.url].map(async (url) => (await fetch(`${url}/auth/me`, { headers })).status))
    t.same(await status({ cookie: guest.cookie }), [200, 200])
    const { body } = await guest.rest('GET /v1/sessions')
    await fetch(`${second.url}/v1/sessions/${body.items[0].id}`, {
      method: 'DELETE',
      headers: { cookie: guest.cookie, origin: second.url },
    })
    t.same(await status({ cookie: guest.cookie }), [401, 401])
    const { body: svc } = await owner.rest('POST /api/v1/tokens', { name: 'once', kind: 'svc' })
    t.same(await onBoth(svc.token), [200, 200])
    await owner.rest(`DELETE /api/v1/tokens/${svc.id}`)
    t.same(await onBoth(svc.token), [401, 401])
  },
)

t.test('streams that a session opened end with it, and not before; each server asks for itself', async (t) => {
  const ide = await person('ide')
  await ide.rest('POST /v1/orgs', { slug: 'ide-org', name: 'IDE' })
  const content = `---\nspec_version: '1.0'\nid: 01a20032-35db-77c1-87d7-2a714c72096f\nslug: s\ndescription: d\n---\n# T\n\n## Steps\n1. Navigate to /\n`
  await ide.rest('POST /v1/scenarios', { content })
  const { body: run } = await ide.rest('POST /v1/runs', {
    scenario_id: '01a20032-35db-77c1-87d7-2a714c72096f',
    executor: 'external',
  })
  const { body: key } = await ide.rest('POST /v1/api-keys', { name: 'beside' })
  const resourceSubscriptions = [`molar://runs/${run.id}`]
  const open = async (shown: Parameters<typeof connect>[3]) =>
    (await connect(t, `${second.url}/mcp`, 'modern', shown)).listen({ resourceSubscriptions })
  const byCookie = await open({ cookie: ide.cookie, origin: second.url })
  t.same(byCookie.honoredFilter.resourceSubscriptions, resourceSubscriptions)
  const byKey = await open(key.api_key)
  let lasting = true
  void byCookie.closed.then(() => (lasting = false))
  await ide.rest(`DELETE /v1/api-keys/${key.id}`)
  t.equal(await byKey.closed, 'graceful')
  t.ok(lasting, 'all were asked about; the session is still there')
  const { body: sessions } = await ide.rest('GET /v1/sessions')
  await ide.rest(`DELETE /v1/sessions/${sessions.items[0].id}`)
  t.equal(await byCookie.closed, 'graceful')
})

t.test('a service token takes an admin; a member has their own tokens and sees no others', async (t) => {
  t.equal((await viewer.rest('POST /api/v1/tokens', { name: 'x', kind: 'svc' })).status, 403)
  const { body: svc } = await owner.rest('POST /api/v1/tokens', { name: 'nightly', kind: 'svc', role: 'viewer' })
  t.match(svc, { token: /^molar_svc_/, role: 'viewer' })
  const { body: pat } = await viewer.rest('POST /api/v1/tokens', { name: 'mine' })
  t.match((await here.rest('GET /v1/me', undefined, bearer(pat.token))).body, { role: 'viewer' })
  t.same(
    (await viewer.rest('GET /api/v1/tokens')).body.tokens.map((one: { id: string }) => one.id),
    [pat.id],
  )
  t.equal((await viewer.rest(`DELETE /api/v1/tokens/${svc.id}`)).status, 404)
  t.equal((await viewer.rest('POST /api/v1/tokens', { name: 'x', expires_at: '2999-01-01T00:00:00Z' })).status, 422)
  t.equal(
    (await here.rest('POST /api/v1/tokens', { name: 'x' }, bearer(pat.token))).status,
    403,
    'a token makes no token',
  )
  // Whoever leaves takes their token with them.
  await owner.rest(`DELETE /api/v1/orgs/tokens/members/${viewer.id}`)
  t.same(await onBoth(pat.token), [401, 401])
  t.same(await onBoth(svc.token), [200, 200])
})

t.test('before a token runs out its person is told, once; a link for a command is good for that, once', async (t) => {
  const services = await openServices(here.config, { log: quiet })
  t.teardown(() => services.close())
  const { body: made } = await owner.rest('POST /api/v1/tokens', { name: 'old', kind: 'svc' })
  await sql(
    `update credentials set created_at = now() - interval '85 days', expires_at = now() + interval '5 days' where id = $1`,
    [made.id],
  )
  const warn = () =>
    warnOfExpiry({
      db: services.db,
      publicUrl: here.url,
      mail: (org, message, tx) => services.queue.send('mail', mailJob(keyring, message), { orgId: org, tx }),
    })
  t.same((await Promise.all([warn(), warn()])).sort(), [0, 1], 'two servers at once tell it once')
  const [mail] = await mails(owner.email)
  t.match(mail, { subject: 'old is about to run out' })
  const { body: list } = await owner.rest('GET /api/v1/tokens')
  const soon = list.tokens.filter((one: { expires_soon: boolean }) => one.expires_soon)
  t.match(soon, [{ id: made.id }])

  const link = new URL(/https?:\/\/\S+/.exec(mail!.text)![0])
  const stranger = await here.rest(`GET ${link.pathname}${link.search}`, undefined, { authorization: '' })
  t.match(stranger.headers.get('location'), /^\/auth\/login\?return_to=/, 'the link itself proves nothing')
  const page = await owner.rest(`GET ${link.pathname}${link.search}`)
  t.match(page, { status: 200, body: /<form method="post" action="\/keys\/renew"/ })
  const send = (who: typeof owner) => {
    const fields = new URLSearchParams(link.search).toString()
    return who.rest('POST /keys/renew', fields, { 'content-type': 'application/x-www-form-urlencoded' })
  }
  t.equal((await send(viewer)).status, 403, 'nobody’s but theirs who may')
  t.match((await send(owner)).body, /<strong>old<\/strong> is good until 20/)

  const signed = (minutes: number, input: object, command = 'tokens.renew') =>
    signLink(keyring, { orgId, userId: owner.id, command, input: input as Record<string, unknown> }, minutes)
  const token = await signed(5, { id: made.id })
  const renew = (id: string, given = token, url = here.url) =>
    fetch(`${url}/api/v1/tokens/${id}/renew?token=${given}`, { method: 'POST' }).then(async (answer) => ({
      status: answer.status,
      body: await answer.json(),
    }))
  const { body: another } = await owner.rest('POST /api/v1/tokens', { name: 'another' })
  t.match(await renew(another.id), { status: 403, body: { message: /another id/ } }, 'for no other token')
  t.equal((await renew(made.id, `${token.slice(0, -2)}xx`)).status, 401, 'a signature that is wrong')
  t.equal(
    (await here.rest('GET /v1/me', undefined, { authorization: `Bearer ${token}` })).status,
    401,
    'no bearer token',
  )
  const both = await Promise.all([renew(made.id), renew(made.id, token, second.url)])
  t.same(both.map(({ status }) => status).sort(), [200, 401], 'once, on whichever server')
  const renewed = both.find(({ status }) => status === 200)!.body
  t.ok(Date.parse(renewed.expires_at) > Date.now() + 80 * 86_400_000)
  const [event] = await sql(
    `select actor_kind, result from audit_events where org_id = $1 and command = 'tokens.renew' and target = $2 and result = 'ok'
     order by seq desc limit 1`,
    [orgId, made.id],
  )
  t.match(event, { actor_kind: 'signed' })

  t.equal((await renew(made.id, await signed(-1, { id: made.id }))).status, 401, 'one that has run out')
  t.equal(
    (await renew(made.id, await signed(5, { id: made.id }, 'tokens.revoke'))).status,
    403,
    'one for something else',
  )
  const spare = await signed(5, { id: made.id })
  await sql('update credentials set revoked_at = now() where id = $1', [made.id])
  t.equal((await renew(made.id, spare)).status, 404)
  await sql('update credentials set revoked_at = null where id = $1', [made.id])
  t.equal((await renew(made.id, spare)).status, 200, 'a use that failed does not use it up')
  const gone = await signLink(keyring, { orgId, userId: viewer.id, command: 'tokens.renew', input: { id: made.id } }, 5)
  t.equal((await renew(made.id, gone)).status, 401, 'made for somebody who left')
})
