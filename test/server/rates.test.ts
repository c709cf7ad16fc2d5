import t from 'tap'
import type { Principal } from '../../src/core/principal.ts'
import { rateLimiter } from '../../src/server/rates.ts'
import { world } from '../fixtures/world.ts'

const caller = (id: string) => ({ org: { id } }) as Principal

t.test('an org spends its minute, gets it back evenly, and does not spend another’s', async (t) => {
  let now = 1_000_000
  const rates = rateLimiter({ read: 600, write: 120 }, () => now)
  const spend = (org: string, effect: 'read' | 'write') => {
    let taken = 0
    try {
      for (; taken < 5000; taken++) rates.take(caller(org), effect)
    } catch {}
    return taken
  }
  t.equal(spend('a', 'read'), 600)
  t.equal(spend('a', 'write'), 120)
  t.equal(spend('b', 'read'), 600)
  now += 30_000
  t.equal(spend('a', 'read'), 300)
  now += 3_600_000
  t.equal(spend('a', 'write'), 120)
})

t.test('over the limit every door says when to ask again', async (t) => {
  const here = await world(t, { environment: { MOLAR_READS_PER_MINUTE: '5' } })
  for (let call = 0; call < 5; call++) t.equal((await here.rest('GET /v1/me')).status, 200)
  const { status, body, headers } = await here.rest('GET /v1/me')
  t.match(
    { status, body },
    { status: 429, body: { error: 'rate_limited', resource: 'reads_per_minute', limit: 5, used: 5 } },
  )
  t.ok(Number(headers.get('retry-after')) >= 1)
  const { code, stderr } = await here.cli(['identity', 'me'])
  t.equal(code, 6)
  t.match(stderr, /5 a minute/)
})
