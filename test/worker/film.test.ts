import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { strFromU8, unzipSync } from 'fflate'
import t from 'tap'
import { type Frame, filmPages, frameAt } from '../../src/worker/evidence/film.ts'
import { recordEvidence } from '../../src/worker/evidence/record.ts'
import { makeRedactor } from '../../src/worker/evidence/redact.ts'
import { scrubTrace } from '../../src/worker/evidence/scrub.ts'
import { makeVideo } from '../../src/worker/evidence/video.ts'
import { sharedBrowser } from '../fixtures/browser.ts'

const scratch = mkdtempSync(join(tmpdir(), 'molar-film-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

t.test('the film has a frame of what a page showed when it was asked, and one for all who may share it', async (t) => {
  const browser = await sharedBrowser()
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const film = filmPages(context, { whole: false })
  const page = await context.newPage()
  // It moves all the time: a film of all would have some sixty frames a second.
  await page.setContent(
    '<style>@keyframes k { to { margin-left: 300px } } b { animation: k 1s infinite }</style><b>x</b><p id=p></p>',
  )
  const show = (color: string) =>
    page.evaluate(async (color) => {
      document.body.setAttribute('bgcolor', color)
      for (let drawn = 0; drawn < 3; drawn++) await new Promise(requestAnimationFrame)
    }, color)
  const colorOf = ({ image }: Frame) =>
    page.evaluate(async (base64) => {
      const picture = new Image()
      picture.src = `data:image/jpeg;base64,${base64}`
      await picture.decode()
      const canvas = document.createElement('canvas').getContext('2d')!
      canvas.drawImage(picture, 0, 0, 10, 10)
      const [red = 0, green = 0, blue = 0] = canvas.getImageData(8, 8, 1, 1).data
      return [red, green, blue].map((part) => Math.round(part / 64))
    }, image.toString('base64'))
  const taken: Frame[] = []
  for (const color of ['#f00', '#0f0', '#00f']) {
    await show(color)
    const asked = Date.now()
    const frame = (await film.take(page, asked))!
    taken.push(frame)
    t.ok(frame.at >= asked, 'not one from before')
  }
  t.equal(await film.take(page, taken[2]!.at), taken[2], 'one that is not too old is taken again')
  t.equal(await film.take(await context.newPage().then((one) => one.close().then(() => one)), Date.now()), undefined)
  await show('#fff')
  const [one, same] = await Promise.all([film.take(page, Date.now()), film.take(page, Date.now())])
  t.equal(one, same, 'one for both')
  const last = film.take(page, Date.now() + 1)
  const frames = await film.stop()
  t.ok((await last) === frames.at(-1), 'what was asked for is waited for')
  t.equal(frames.length, 5)
  t.strictSame(
    [...frames].sort((a, b) => a.at - b.at),
    frames,
  )
  t.strictSame(await Promise.all(frames.slice(0, 4).map(colorOf)), [
    [4, 0, 0],
    [0, 4, 0],
    [0, 0, 4],
    [4, 4, 4],
  ])

  const whole = filmPages(context, { whole: true })
  await page.waitForTimeout(500)
  const now = whole.take(page, Date.now())
  await page.waitForTimeout(100)
  const all = await whole.stop()
  t.ok(all.length >= 5, `a whole film has all that moves: ${all.length} in 0.6 s`)
  t.ok(all.includes((await now)!))
  t.equal(frameAt(all, all[0]!.at - 1), undefined, 'and none from before it began')
  t.equal(frameAt(all, all[1]!.at), all[1])
})

t.test('rrweb has a short flow whole, and the film becomes a video where ffmpeg is', async (t) => {
  const browser = await sharedBrowser()
  t.teardown(() => browser.close())
  const context = await browser.newContext()
  const redact = makeRedactor({ PIN: 'open-sesame-77' })
  const options = { emit() {}, redact, browserUid: browser.uid, pictures: true, trace: true, replay: true, film: true }
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
  const frames = await recorded.frames
  t.ok(frames.length > 1)
  const trace = await scrubTrace(recorded.trace!, redact, { frames })
  const unzipped = unzipSync(trace.zip)
  const strip = Object.entries(unzipped)
    .filter(([name]) => name.endsWith('.trace'))
    .flatMap(([, bytes]) => strFromU8(bytes).trim().split('\n'))
    .map((line) => JSON.parse(line))
  const filmed = strip.filter(({ type }) => type === 'screencast-frame')
  t.equal(filmed.length, frames.length, 'the trace has the film')
  t.ok(filmed.every(({ file }) => unzipped[file]?.[0] === 0xff))
  const known = new Set(strip.flatMap(({ snapshot }) => (snapshot ? [snapshot.pageId] : [])))
  t.ok(
    filmed.every(({ pageId }) => known.has(pageId)),
    'of pages that it knows',
  )
  t.ok(
    strip.some(({ method, title }) => method === 'tracingGroup' && title === 'One'),
    'the step is a group',
  )
  t.notOk(
    strip.some(({ method }) => /screencast/i.test(method)),
    'and nothing of how it was filmed',
  )
  const [from, to] = [strip[0].monotonicTime, strip.findLast(({ type }) => type === 'after').endTime]
  t.ok(
    filmed.every(({ timestamp }) => timestamp > from && timestamp < to + 2000),
    'by its own clock',
  )
  t.ok(JSON.parse(String(trace.har)).log.entries.length >= 1, 'a HAR of it')

  const script = (name: string, body: string) => {
    const path = join(scratch, name)
    writeFileSync(path, `#!/bin/sh\n${body}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const path = join(scratch, 'video.webm')
  t.equal(await makeVideo(frames, { ffmpeg: script('fails', 'exit 1'), path }), undefined, 'an ffmpeg that fails')
  t.equal(await makeVideo(frames, { ffmpeg: '/no/such/ffmpeg', path }), undefined, 'one that is not there')
  const hangs = script('hangs', 'exec sleep 30')
  t.equal(await makeVideo(frames, { ffmpeg: hangs, path, timeoutMs: 300 }), undefined, 'one that hangs')
  t.equal(await makeVideo([], { ffmpeg: hangs, path }), undefined, 'a film without frames')
  const folders = (process.env.PATH ?? '').split(delimiter)
  const ffmpeg = folders.map((folder) => join(folder, 'ffmpeg')).find(existsSync)
  if (!ffmpeg) return t.comment('no ffmpeg on PATH: what a real one makes is not shown')
  const [first, last] = [frames[0]!, frames.at(-1)!]
  const early = { ...first, at: first.at - 200, image: square }
  const video = await makeVideo([early, ...frames, { ...last, at: last.at + 100 }], { ffmpeg, path })
  t.equal(video?.subarray(0, 4).toString('hex'), '1a45dfa3', 'webm')
  // VP8's key frame begins with 9d 01 2a, and then has width and height.
  const start = video!.indexOf(Buffer.from('9d012a', 'hex'))
  const size = [video!.readUInt16LE(start + 3) & 0x3fff, video!.readUInt16LE(start + 5) & 0x3fff]
  t.strictSame(size, [800, 450], 'in the viewport’s proportions, whatever the first frame’s are')
})
