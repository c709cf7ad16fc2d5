import pg from 'pg'
import t from 'tap'
import { signedIn } from '../../fixtures/signed-in.ts'
import { world } from '../../fixtures/world.ts'

// Orgs, members, invitations and terms, as people use them over REST.

const here = await world(t, { environment: { MOLAR_TERMS_VERSION: '2026-01' } })
const { person, org, mails, sql } = await signedIn(t, here)
const absent = '019301c0-cafe-7000-bea7-00000000dead'

t.test('orgs.create: 401, 400, 412, 402 and 409, in this order', async (t) => {
  const ada = await person('ada', { terms: false })
  const make = (slug: unknown, who = ada) => who.rest('POST /api/v1/orgs', { slug, name: 'Acme' })
  t.equal((await here.rest('POST /api/v1/orgs', { slug: '!' }, { authorization: '' })).status, 401)
  for (const slug of ['ab', '1abc', 'Acme', 'a_b', 'a'.repeat(33), '-', 7, undefined])
    t.match(await make(slug), { status: 400, body: { error: 'bad_request' } }, `${slug}`)
  t.match(await make('local'), { status: 412, body: { error: 'precondition_failed' } })
  t.match((await ada.rest('GET /auth/terms-status')).body, { accepted: false, version: '2026-01' })
  t.match(await ada.rest('POST /auth/accept-terms', {}), { status: 200, body: { accepted: true } })
  t.match(await make('local'), { status: 409, body: { error: 'conflict' } })
  const made = await make('acme')
  t.match(made, {
    status: 201,
    body: { slug: 'acme', name: 'Acme', plan: 'free', status: 'running', role: 'owner', credits_balance: 0 },
  })
  t.match(await ada.rest('POST /api/v1/orgs', { slug: 'paid', plan: 'pro' }), {
    status: 201,
    body: { plan: 'pro', status: 'awaiting_payment', plan_monthly_credits: 0 },
  })
  // Two at once for the last place: one gets it.
  const both = await Promise.all([make('third'), make('fourth')])
  t.same(both.map(({ status }) => status).sort(), [201, 402])
  t.match(await make('local'), { status: 402, body: { error: 'payment_required' } }, 'the quota before the slug')
  const { body } = await ada.rest('GET /api/v1/orgs')
  t.same(
    body.orgs.map(({ role }: { role: string }) => role),
    ['owner', 'owner', 'owner'],
  )
  t.match(body, { next_cursor: null, truncated: false })
})

t.test('an org is seen by its members, by id and slug, under every path; by others not at all', async (t) => {
  const [bob, eve] = [await person('bob'), await person('eve')]
  const id = await org('seen', [[bob, 'billing']])
  for (const path of [`/api/v1/orgs/${id}`, '/v1/orgs/seen', '/cp/orgs/seen'])
    t.match(await bob.rest(`GET ${path}`), { status: 200, body: { id, slug: 'seen', role: 'billing' } }, path)
  const [foreign, none] = [await eve.rest('GET /v1/orgs/seen'), await eve.rest('GET /v1/orgs/none')]
  t.equal(foreign.status, 404)
  t.same(foreign.body, JSON.parse(JSON.stringify(none.body).replaceAll('none', 'seen')))
  t.equal((await eve.rest(`GET /v1/orgs/seen/members`)).status, 404)
  t.match((await bob.rest('GET /v1/orgs/seen/provision-status')).body, { status: 'running', url: here.url })
  const instance = await here.rest('GET /api/v1/orgs/seen/instance', undefined, { authorization: '' })
  t.match(instance, { status: 200, body: { org_id: id, slug: 'seen', url: here.url } })
  t.equal((await here.rest('GET /api/v1/orgs/-/instance', undefined, { authorization: '' })).status, 404)
})

t.test('/cp answers the same and says that it goes', async (t) => {
  const bob = await person('cp-bob')
  await org('cp-org', [[bob, 'owner']])
  const { headers } = await bob.rest('GET /cp/orgs/cp-org')
  t.match(headers.get('deprecation'), /^@\d{10}$/)
  t.ok(Date.parse(headers.get('sunset')!) > Date.now())
  t.equal(headers.get('link'), '</api/v1/orgs/cp-org>; rel="successor-version"')
  t.equal((await bob.rest('GET /cp/auth/terms-status')).headers.get('link')?.includes('</auth/terms-status>'), true)
  t.equal((await bob.rest('GET /api/v1/orgs/cp-org')).headers.get('deprecation'), null)
  t.match((await bob.rest('GET /cp/orgs')).body, { orgs: [{ slug: 'cp-org' }] })
})

t.test('an invitation is mailed, accepted once, and only by the person whose address it is for', async (t) => {
  const [owner, guest, other] = [
    await person('host'),
    await person('guest', { verified: false }),
    await person('other'),
  ]
  await org('party', [[owner, 'owner']])
  const invite = (body: object, who = owner) => who.rest('POST /api/v1/orgs/party/invitations', body)
  const made = await invite({ email: 'Guest@Example.com', role: 'viewer' })
  t.match(made, { status: 201, body: { email: 'Guest@Example.com', role: 'viewer', status: 'open' } })
  const [mail] = await mails('Guest@Example.com')
  const token = /accept\?token=(molar_inv_\w+)/.exec(mail!.text)![1]!
  t.notMatch(JSON.stringify(made.body), token)
  const accept = (who: typeof owner, given = token) => who.rest('POST /api/v1/invitations/accept', { token: given })
  t.equal((await accept(other)).status, 403, 'another person')
  t.match(await accept(guest), { status: 403, body: { message: /Confirm/ } }, 'an unconfirmed address')
  await sql('update users set email_verified = true where id = $1', [guest.id])
  t.match(await accept(guest), { status: 200, body: { org: { slug: 'party' }, role: 'viewer', joined: true } })
  t.equal((await accept(guest)).status, 404, 'spent')
  t.equal((await accept(guest, `${token.slice(0, -1)}x`)).status, 404)
  t.equal((await invite({ email: guest.email })).status, 409, 'a member already')
  t.equal((await invite({ email: 'x@example.com' }, guest)).status, 403, 'a viewer invites nobody')

  // A second one takes the place of the first; a revoked and an expired one open nothing.
  await invite({ email: other.email })
  const { body: again } = await invite({ email: other.email, role: 'admin' })
  const tokens = (await mails(other.email)).map(({ text }) => /token=(\w+)/.exec(text)![1]!)
  t.equal((await accept(other, tokens[0])).status, 404)
  t.equal((await owner.rest(`DELETE /api/v1/orgs/party/invitations/${again.id}`)).status, 204)
  t.equal((await accept(other, tokens[1])).status, 404)
  await invite({ email: other.email })
  await sql(`update invitations set expires_at = now() where email = $1`, [other.email])
  t.equal((await accept(other, /token=(\w+)/.exec((await mails(other.email))[2]!.text)![1]!)).status, 404)
  const { body: list } = await owner.rest('GET /api/v1/orgs/party/invitations')
  t.same(
    list.invitations.map(({ status }: { status: string }) => status),
    ['expired', 'revoked', 'revoked', 'accepted'],
  )
  t.notMatch(JSON.stringify(list), /molar_inv_/)
})

t.test('a name is one line: what others read in mails and on pages has none of its own', async (t) => {
  const ida = await person('ida')
  await org('lines', [[ida, 'owner']])
  for (const name of ['a\r\nBcc: b@example.com', 'a\u2028b', 'a\u202eb', '\u0007']) {
    t.equal((await ida.rest('PATCH /api/v1/orgs/lines', { name })).status, 400)
    t.equal((await ida.rest('PATCH /v1/account', { name })).status, 422)
    t.equal((await ida.rest('POST /v1/api-keys', { name })).status, 422)
  }
  t.equal((await ida.rest('PATCH /v1/account', { name: 'Ída 👩‍💻 د' })).status, 200)
})

t.test('members: roles, removal, leaving, and an owner who stays', async (t) => {
  const [owner, admin, viewer] = [await person('own'), await person('adm'), await person('vie')]
  const id = await org('crew', [
    [owner, 'owner'],
    [admin, 'admin'],
    [viewer, 'viewer'],
  ])
  const at = '/api/v1/orgs/crew'
  const { body } = await viewer.rest(`GET ${at}/members?limit=2`)
  t.match(body, { members: [{ email: owner.email, role: 'owner' }, { email: admin.email }], next_cursor: String })
  const set = (who: typeof owner, user: string, role: string) => who.rest(`PATCH ${at}/members/${user}`, { role })
  t.equal((await set(viewer, viewer.id, 'admin')).status, 403)
  t.equal((await set(admin, viewer.id, 'owner')).status, 403, 'an admin makes no owner')
  t.equal((await set(admin, owner.id, 'viewer')).status, 409, 'the last owner stays')
  t.equal((await set(owner, owner.id, 'admin')).status, 409)
  t.equal((await owner.rest(`POST ${at}/leave`, {})).status, 409)
  t.equal((await set(admin, absent, 'viewer')).status, 404)
  t.match(await set(admin, viewer.id, 'maintainer'), { status: 200, body: { role: 'maintainer' } })
  await t.rejects(
    sql(`update members set role = 'viewer' where org_id = $1 and user_id = $2`, [id, owner.id]),
    /without an owner/,
  )
  await t.rejects(sql('delete from users where id = $1', [owner.id]), /without an owner/)

  t.equal((await admin.rest(`POST ${at}/transfer`, { user_id: viewer.id })).status, 403)
  t.match(await owner.rest(`POST ${at}/transfer`, { user_id: viewer.id }), { status: 200, body: { role: 'owner' } })
  t.match((await owner.rest('GET /v1/me')).body, { role: 'admin' })
  // Two owners step down at once: one stays.
  await sql(`update members set role = 'owner' where org_id = $1 and user_id = $2`, [id, owner.id])
  // One is made less while their request waits: it is not carried out as who they were.
  const held = new pg.Client({ connectionString: here.config.migrationUrl })
  await held.connect()
  await held.query(`begin; set local role molar_system; select from orgs where id = '${id}' for update`)
  const late = owner.rest(`POST ${at}/transfer`, { user_id: admin.id })
  const waiting = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
  for (let tries = 0; tries < 500 && (await held.query(waiting)).rowCount === 0; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  await held.query(`update members set role = 'viewer' where org_id = '${id}' and user_id = '${owner.id}'; commit`)
  t.match(await late, { status: 409, body: { message: /role .* was changed/ } })
  t.match((await owner.rest('GET /v1/me')).body, { role: 'viewer' })
  await held.query(
    `begin; set local role molar_system; update members set role = 'owner' where org_id = '${id}' and user_id = '${owner.id}'; commit`,
  )
  await held.end()
  const both = await Promise.all([owner, viewer].map((who) => who.rest(`POST ${at}/leave`, {})))
  t.same(both.map(({ status }) => status).sort(), [200, 409])
  const [{ owners }] = await sql(`select count(*)::int as owners from members where org_id = $1 and role = 'owner'`, [
    id,
  ])
  t.equal(owners, 1)
  const left = both[0]!.status === 200 ? owner : viewer
  t.equal((await left.rest(`GET ${at}`)).status, 404)
})
