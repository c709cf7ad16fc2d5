import t from 'tap'
import { newId } from '../../src/core/ids.ts'
import { newToken } from '../../src/core/keys/index.ts'
import { openPeople } from '../fixtures/people.ts'
import { world } from '../fixtures/world.ts'

// Who a request comes from, for each kind of credential, as identity.me tells it.

const internal = 'the internal token of this test, long'
const here = await world(t, { environment: { MOLAR_INTERNAL_TOKEN: internal } })
const { org, person, session, sql, token, fingerprint } = await openPeople(t, here)

const ada = await person('ada')
const bob = await person('bob')
const one = await org('one', { [ada]: 'owner', [bob]: 'viewer' })
const two = await org('two', { [ada]: 'viewer' })

/** `GET /v1/me` with these headers instead of the world's key. */
const me = (headers: Record<string, string>) => here.rest('GET /v1/me', undefined, { authorization: '', ...headers })

t.test('a person in several orgs names one, or has chosen one; in one org there is nothing to choose', async (t) => {
  const cookie = await session(ada)
  t.match(await me({ cookie }), { status: 400, body: { message: /^x-org-id header required/ } })
  t.match(await me({ cookie, 'x-org-id': one }), {
    status: 200,
    body: { org: { slug: 'one' }, role: 'owner', user: { id: ada }, credential: { kind: 'session' } },
  })
  t.match((await me({ cookie, 'x-molecule-org-slug': 'two' })).body, { org: { slug: 'two' }, role: 'viewer' })
  t.match((await me({ cookie: await session(ada, two) })).body, { org: { slug: 'two' } }, 'the org chosen last')
  t.match((await me({ cookie: await session(bob) })).body, { org: { slug: 'one' }, role: 'viewer' }, 'the only one')
})

t.test('an org of others answers as one that is not there', async (t) => {
  const cookie = await session(bob)
  const [foreign, absent] = [await me({ cookie, 'x-org-id': two }), await me({ cookie, 'x-org-id': newId() })]
  t.equal(foreign.status, 403)
  t.equal(absent.status, 403)
  t.equal(foreign.body.message.replace(two, ''), absent.body.message.replace(/[\da-f]{8}-[-\da-f]{27}/, ''))
  t.match(await me({ cookie: await session(await person('new')) }), { status: 403, body: { message: /no org yet/ } })
})

t.test('an ended, an unknown and a foreign session are 401', async (t) => {
  t.equal((await me({ cookie: await session(ada, one, -1) })).status, 401)
  t.equal((await me({ cookie: `molar_session=${newToken()}.signature` })).status, 401)
  t.equal((await me({ cookie: 'molar_session=%E0%A4%A' })).status, 401)
  const cookie = await session(bob)
  t.equal((await me({ cookie })).status, 200)
  await sql('delete from sessions where user_id = $1', [bob])
  t.equal((await me({ cookie })).status, 401)
})

t.test('a cookie changes something only from a page of this server', async (t) => {
  const cookie = await session(ada, one)
  const post = (headers: Record<string, string>) =>
    here.rest('POST /v1/api-keys', { name: 'by cookie' }, { authorization: '', cookie, ...headers })
  t.equal((await post({})).status, 403)
  t.equal((await post({ 'sec-fetch-site': 'cross-site' })).status, 403)
  t.equal((await post({ 'sec-fetch-site': 'same-origin' })).status, 201)
  t.equal((await post({ origin: here.url })).status, 201)
})

t.test('a role gives what the one table says, and no more', async (t) => {
  const create = async (user: string) =>
    (
      await here.rest(
        'POST /v1/api-keys',
        { name: 'x' },
        { authorization: '', cookie: await session(user, one), origin: here.url },
      )
    ).status
  t.equal(await create(ada), 201)
  t.equal(await create(bob), 403)
})

t.test("a person's token has the role that the person has now, and none once they left", async (t) => {
  const pat = await token('pat', one, bob, 'owner')
  const asked = () => me({ authorization: `Bearer ${pat}` })
  t.match((await asked()).body, { role: 'viewer', credential: { kind: 'pat' } })
  await sql(`update members set role = 'admin' where user_id = $1`, [bob])
  t.match((await asked()).body, { role: 'admin' })
  await sql('delete from members where user_id = $1', [bob])
  t.equal((await asked()).status, 401)
})

t.test('the internal token acts for the org that it names', async (t) => {
  t.match(await me({ 'x-internal-token': internal }), { status: 400 })
  t.match((await me({ 'x-internal-token': internal, 'x-molar-org': 'two' })).body, {
    org: { id: two },
    credential: { kind: 'internal' },
  })
  t.equal((await me({ 'x-internal-token': `${internal}!`, 'x-molar-org': 'two' })).status, 401)
  t.equal((await me({ 'x-internal-token': internal, 'x-molar-org': '-' })).status, 403, 'the installation is no org')
})

t.test(
  'a key is known in the round trip of the first statement, and what it may not see is not told before',
  async (t) => {
    const absent = newId()
    const narrow = await token('api_key', one, null, 'viewer') // mcp:read alone
    const get = (path: string, key: string) => here.rest(`GET ${path}`, undefined, { authorization: `Bearer ${key}` })
    t.match(await get(`/v1/runs/${absent}`, narrow), { status: 404, body: { error: 'not_found' } })
    t.match(await get(`/v1/traces/${absent}`, narrow), { status: 403, body: { error: 'insufficient_scope' } })
    for (const path of [
      `/v1/runs/${absent}`,
      '/v1/runs',
      '/v1/me',
      '/v1/scenarios?cursor=x',
      '/v1/runs?limit=nonsense',
    ])
      t.match(await get(path, newToken()), { status: 401, body: { error: 'unauthorized' } }, path)
    t.match(await get('/v1/runs?limit=nonsense', narrow), { status: 422 })
    await sql('update credentials set revoked_at = now() where fingerprint = $1', [fingerprint(narrow)])
    t.equal((await get(`/v1/runs/${absent}`, narrow)).status, 401)
  },
)
