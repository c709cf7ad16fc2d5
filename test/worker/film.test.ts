import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { startBrowser } from '../../src/worker/browser/launch.ts'
import { frameAt, framesOf } from '../../src/worker/evidence/film.ts'
import { recordEvidence } from '../../src/worker/evidence/record.ts'
import { makeRedactor } from '../../src/worker/evidence/redact.ts'
import { scrubTrace } from '../../src/worker/evidence/scrub.ts'
import { makeVideo } from '../../src/worker/evidence/video.ts'
import { cacheDirectory, log, testBrowser } from '../fixtures/browser.ts'

const scratch = mkdtempSync(join(tmpdir(), 'molar-film-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

t.test('a step’s picture is the last frame at or before its end, and none is invented', async (t) => {
  const images: Record<string, Buffer> = { a: Buffer.from('A'), b: Buffer.from('B'), 'resources/c': Buffer.from('C') }
  const frames = framesOf(
    [
      { type: 'screencast-frame', file: 'a', timestamp: 5 }, // before the film has a beginning
      { type: 'context-options', wallTime: 1000, monotonicTime: 100 },
      { type: 'screencast-frame', file: 'b', timestamp: 150, pageId: 'p1' },
      { type: 'screencast-frame', file: 'a', timestamp: 199, frameSwapWallTime: 1020, pageId: 'p1' },
      { type: 'screencast-frame', sha1: 'c', timestamp: 200, pageId: 'p2' },
      { type: 'screencast-frame', file: 'lost', timestamp: 210 },
      'not an event',
    ],
    (name) => images[name],
  )
  const at = (ms: number) => frameAt(frames, ms)?.image.toString()
  t.strictSame([1019, 1020, 1049, 1050, 1099, 1100, 9999].map(at), [undefined, 'A', 'A', 'B', 'B', 'C', 'C'])
  t.equal(frameAt([], 1), undefined)
})

t.test('rrweb has a short flow whole, and the film becomes a video where ffmpeg is', async (t) => {
  const browser = await startBrowser({ found: await testBrowser(), cacheDirectory, log, sandbox: 'on' })
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const redact = makeRedactor({ PIN: 'open-sesame-77' })
  const options = { emit() {}, redact, browserUid: browser.uid, pictures: true, trace: true, replay: true }
  const evidence = await recordEvidence(context, options)
  const page = await context.newPage()
  await evidence.currentStep('one', 'One')
  await page.route('**/*', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: '<input id=a><input type=password id=p><button onclick="document.body.append(`clicked`)">x</button>',
    }),
  )
  await page.goto('http://127.0.0.1:9/')
  await page.fill('#p', 'typed-password-1')
  await evidence.maskFilled(page.locator('#a'))
  await page.locator('#a').pressSequentially('open-sesame-77')
  await page.click('button')
  const square = await page.screenshot({ type: 'jpeg', clip: { x: 0, y: 0, width: 450, height: 450 } })
  await evidence.currentStep(null)
  const recorded = await evidence.stop()
  const events = recorded.replay!.events as { type: number }[]
  t.ok(
    events.some(({ type }) => type === 2),
    'a full snapshot',
  )
  const text = JSON.stringify(events)
  t.match(text, /clicked/, 'and what changed after it')
  t.notMatch(text, /typed-pass|open-ses/, 'neither a password nor the beginning of a secret that was typed')
  const trace = await scrubTrace(recorded.trace!, redact)
  t.ok(trace.frames.length > 0)
  t.ok(JSON.parse(String(trace.har)).log.entries.length >= 1, 'a HAR of it')

  const script = (name: string, body: string) => {
    const path = join(scratch, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const path = join(scratch, 'video.webm')
  t.equal(await makeVideo(trace.frames, { ffmpeg: script('fails', 'exit 1'), path }), undefined, 'an ffmpeg that fails')
  t.equal(await makeVideo(trace.frames, { ffmpeg: '/no/such/ffmpeg', path }), undefined, 'one that is not there')
  const hangs = script('hangs', 'exec sleep 30')
  t.equal(await makeVideo(trace.frames, { ffmpeg: hangs, path, timeoutMs: 300 }), undefined, 'one that hangs')
  t.equal(await makeVideo([], { ffmpeg: hangs, path }), undefined, 'a film without frames')
  const folders = (process.env.PATH ?? '').split(delimiter)
  const ffmpeg = folders.map((folder) => join(folder, 'ffmpeg')).find(existsSync)
  if (!ffmpeg) return t.comment('no ffmpeg on PATH: what a real one makes is not shown')
  const [first, last] = [trace.frames[0]!, trace.frames.at(-1)!]
  const early = { ...first, at: first.at - 200, image: square }
  const video = await makeVideo([early, ...trace.frames, { ...last, at: last.at + 100 }], { ffmpeg, path })
  t.equal(video?.subarray(0, 4).toString('hex'), '1a45dfa3', 'webm')
  // VP8's key frame begins with 9d 01 2a, and then has width and height.
  const start = video!.indexOf(Buffer.from('9d012a', 'hex'))
  const size = [video!.readUInt16LE(start + 3) & 0x3fff, video!.readUInt16LE(start + 5) & 0x3fff]
  t.strictSame(size, [800, 450], 'in the viewport’s proportions, whatever the first frame’s are')
})
