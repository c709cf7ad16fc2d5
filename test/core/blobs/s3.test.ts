import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { fileBlobs, s3Blobs } from '../../../src/core/blobs/index.ts'
import { usualLimits } from '../../../src/core/blobs/s3/request.ts'
import { artifactShelf } from '../../../src/worker/artifacts.ts'
import { until } from '../../fixtures/served.ts'
import { world } from '../../fixtures/world.ts'

const bucket = 'molar-test'
const package_ = '@20minutes/s3rver' // in a variable: the type checker must not ask for it
const S3rver = await import(package_).then(
  (module) => module.default,
  () => undefined,
)
if (!S3rver && process.env.CI) t.fail(`${package_} is not installed: nothing shows that blobs work in S3`)
const skip = S3rver ? false : `${package_} is not installed`

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A real S3 server, and before it a door that can be told to be busy, slow or shut. */
async function s3(t: Test) {
  const directory = await mkdtemp(join(tmpdir(), 'molar-s3-'))
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket }],
  })
  const { port } = await server.run()
  const door = { busy: 0, slow: 0, seen: [] as string[] }
  const proxy = createServer((request, response) => {
    door.seen.push(`${request.method} ${request.url}`)
    if (door.busy > 0) {
      door.busy--
      request.resume()
      response.writeHead(503, { 'retry-after': '0' }).end('<Error><Code>SlowDown</Code></Error>')
      return
    }
    if (door.slow > 0) {
      door.slow--
      request.resume()
      return // never answers
    }
    const { url, method, headers } = request
    const on = httpRequest({ port, host: '127.0.0.1', path: url, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    on.on('error', () => response.destroy())
    request.pipe(on)
  })
  const endpoint = await listen(proxy)
  t.teardown(async () => {
    proxy.closeAllConnections()
    proxy.close()
    await server.close()
    await rm(directory, { recursive: true, force: true })
  })
  const place = {
    endpoint,
    bucket,
    region: 'us-east-1',
    accessKeyId: 'S3RVER',
    secretAccessKey: 'S3RVER',
    prefix: 'some where/',
  }
  return { door, place }
}

const quick = { ...usualLimits, headersMs: 300, idleMs: 300, pauseMs: 5 }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const all = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

async function keepsBlobs(t: Test, blobs: ReturnType<typeof fileBlobs>): Promise<void> {
  const org = randomUUID()
  const small = randomBytes(1000)
  const hash = await blobs.put(org, small)
  t.equal(hash, sha256(small))
  t.equal(await blobs.put(org, small), hash, 'again changes nothing')
  t.equal(await blobs.size(org, hash), 1000)
  t.same(await buffer((await blobs.get(org, hash))!), small)
  t.same(await buffer((await blobs.get(org, hash, { start: 10, end: 19 }))!), small.subarray(10, 20))
  const empty = await blobs.put(org, Buffer.alloc(0))
  t.equal(await blobs.size(org, empty), 0)
  t.equal(await blobs.size(randomUUID(), hash), undefined, 'not another org’s')
  t.equal(await blobs.get(org, 'f'.repeat(64)), undefined)
  t.strictSame(
    (await all(blobs.list(org))).map((blob) => [blob.sha256, blob.size]).sort(),
    [
      [hash, 1000],
      [empty, 0],
    ].sort(),
  )
  t.equal(await blobs.delete(org, hash, new Date(Date.now() - 3_600_000)), false, 'what is younger stays')
  t.equal(await blobs.size(org, hash), 1000)
  t.equal(await blobs.delete(org, hash, new Date(Date.now() + 3_600_000)), true)
  t.equal(await blobs.size(org, hash), undefined)
  t.equal(await blobs.delete(org, hash), true, 'gone is gone')
  const other = randomUUID()
  for (const owner of [org, other]) for (let one = 0; one < 20; one++) await blobs.put(owner, Buffer.from(`${one}`))
  await blobs.deleteAll(org)
  t.same(
    [(await all(blobs.list(org))).length, (await all(blobs.list(other))).length],
    [0, 20],
    'one org’s, all of them',
  )
  await blobs.deleteAll(org)
  await blobs.check()
}

t.test('files keep blobs', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'molar-blobs-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  await keepsBlobs(t, fileBlobs(root))
})

t.test('a real S3 server keeps blobs as files do', { skip }, async (t) => keepsBlobs(t, s3Blobs((await s3(t)).place)))

t.test('large blobs go in parts, and presigned URLs read them until they run out', { skip }, async (t) => {
  const { place, door } = await s3(t)
  const blobs = s3Blobs(place)
  const org = randomUUID()
  const large = randomBytes(21 * 2 ** 20)
  const hash = await blobs.put(org, large)
  t.equal(door.seen.filter((line) => line.includes('partNumber=')).length, 3, 'three parts')
  t.equal(sha256(await buffer((await blobs.get(org, hash))!)), hash)
  const facts = { name: 'a "b".html', mediaType: 'text/html', seconds: 60 }
  const answer = await fetch((await blobs.link(org, hash, facts))!)
  t.equal(answer.status, 200)
  t.match(
    answer.headers.get('content-disposition'),
    /^attachment; filename="a__b_.html"/,
    'strangers’ HTML is not shown',
  )
  t.equal(sha256(Buffer.from(await answer.arrayBuffer())), hash)
  const tampered = (await blobs.link(org, hash, facts))!.replace(/Signature=..../, 'Signature=0000')
  t.equal((await fetch(tampered)).status, 403)
})

t.test(
  'a store that is busy is asked again; one that is shut, slow or strange ends in an error, in time',
  { skip },
  async (t) => {
    const { place, door } = await s3(t)
    const blobs = s3Blobs(place, quick)
    const org = randomUUID()
    door.busy = 3
    const hash = await blobs.put(org, Buffer.from('after 503s'))
    t.equal(await blobs.size(org, hash), 10, 'three 503s cost only time')
    door.slow = 1
    t.equal(await blobs.size(org, hash), 10, 'an answer that does not come is given up and asked for again')
    door.busy = 100
    await t.rejects(blobs.put(org, Buffer.from('x')), { message: /503 SlowDown/ })
    door.busy = 0
    door.slow = 100
    const started = performance.now()
    await t.rejects(blobs.put(org, Buffer.from('x')))
    t.ok(performance.now() - started < 15_000, 'five tries, each bounded')
    door.slow = 0
    const shelf = artifactShelf(s3Blobs(place), org, pino({ level: 'silent' }), 500)
    shelf.put(Buffer.from('stored'), { kind: 'download', name: 'a.txt', mediaType: 'text/plain' })
    await until(() => blobs.size(org, sha256(Buffer.from('stored'))), 10, 'the first is stored')
    door.slow = 1
    shelf.put(Buffer.from('not stored'), { kind: 'download', name: 'b.txt', mediaType: 'text/plain' })
    const settling = performance.now()
    const { stored, missing } = await shelf.settle()
    t.ok(performance.now() - settling < 5000, 'a store that hangs does not hold up a verdict')
    t.strictSame(
      stored.map(({ name }) => name),
      ['a.txt'],
    )
    t.strictSame(missing, ['download b.txt: the store did not take it in time'])
    const before = door.seen.length
    await t.rejects(s3Blobs({ ...place, secretAccessKey: 'wrong' }, quick).check(), { message: /403/ })
    t.equal(door.seen.length, before + 1, 'a refusal is final')
    await t.rejects(s3Blobs({ ...place, bucket: 'no-such' }, quick).put(org, Buffer.from('x')), { message: /404/ })
  },
)

t.test('a server with S3 stores artifacts there and hands out its presigned URLs', { skip }, async (t) => {
  const { place } = await s3(t)
  const { rest, url } = await world(t, {
    environment: {
      MOLAR_S3_ENDPOINT: place.endpoint,
      MOLAR_S3_BUCKET: bucket,
      MOLAR_S3_ACCESS_KEY_ID: 'S3RVER',
      MOLAR_S3_SECRET_ACCESS_KEY: 'S3RVER',
      MOLAR_S3_PREFIX: '/molar/',
      MOLAR_WORKERS: '1',
      MOLAR_CHROMIUM_PATH: '/no/such/browser',
    },
  })
  t.equal((await fetch(`${url}/readyz`)).status < 600, true)
  const content = `---\nspec_version: '1.0'\nid: 01a20038-217c-7ebc-8e06-9e1248760999\nslug: kept\ndescription: d\ntags: [a]\nbase_url: http://127.0.0.1:9\n---\n\n# Kept\n\n## Steps\n\n1. Navigate to /\n`
  await rest('POST /v1/scenarios', { content })
  const { body: run } = await rest('POST /v1/runs/manual', { scenario_id: 'kept' })
  await rest(`GET /v1/runs/${run.id}/wait?seconds=50`)
  const { body: artifact } = await rest(`GET /v1/runs/${run.id}/artifacts/report`)
  t.ok(artifact.url?.startsWith(`${place.endpoint}/${bucket}/molar/`), artifact.url)
  t.match(await (await fetch(artifact.url)).text(), /# /)
})
