import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../core/errors.ts'
import { browsersIn, configuredBrowser } from '../../worker/browser/find.ts'
import { startBrowser } from '../../worker/browser/index.ts'
import type { Cli, Verb } from '../cli.ts'
import { needDisplay } from '../display.ts'
import { quietLog } from '../log.ts'
import { type RecordedScenario, startRecording } from '../record/recorder.ts'
import { stopSignal } from '../stop.ts'

/** `molar record <url>`: a person clicks, Molar writes the scenario. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('<url>', 'The page to begin on')
      .option('--slug <slug>', 'The scenario’s short name', 'recorded')
      .option('--title <title>', 'Its heading')
      .option('--output <file>', 'Where it is written; .molar/scenarios/<slug>.molar.md unless told')
      .option('--force', 'Write over what is there')
      .option('--headless', 'Without a window, for programs that drive the page')
      .addHelpText(
        'after',
        '\nClick, type and choose as a user would; Alt+Shift+click asserts what is clicked. Close the window or press Ctrl-C to end.\nWhat is typed into password fields becomes ${secrets.PASSWORD} and is never written down.',
      )
  },
  async run({ args, options }, cli) {
    const [url = ''] = args
    if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url))
      fail('bad_request', `"${url}" is no http or https URL, such as http://localhost:3000.`)
    const slug = String(options.slug)
    if (!/^[a-z0-9-]{1,64}$/.test(slug)) fail('bad_request', `--slug is "${slug}": it takes 1 to 64 of a-z, 0-9 and -.`)
    const file = typeof options.output === 'string' ? options.output : join('.molar/scenarios', `${slug}.molar.md`)
    if (existsSync(file) && options.force !== true)
      fail('conflict', `${file} is there already. Choose another --slug or --output, or say --force.`)
    const title = typeof options.title === 'string' ? options.title : slug.replaceAll('-', ' ')
    const recorded = await record(url, { slug, title }, options.headless === true, cli)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, recorded.content)
    return report(recorded, file, cli)
  },
}

async function record(
  url: string,
  names: { slug: string; title: string },
  headless: boolean,
  cli: Cli,
): Promise<RecordedScenario> {
  const config = cli.config()
  if (!headless) needDisplay('molar record', config)
  const log = quietLog(config)
  const found =
    (await configuredBrowser(config, log, !headless)) ??
    fail('browser_unavailable', 'No Chromium was found that can show a window. Install Chromium or Chrome.')
  const window = headless ? {} : { window: { display: config.display } }
  const browser = await startBrowser({
    found,
    cacheDirectory: browsersIn(config),
    log,
    sandbox: config.sandbox,
    ...window,
  })
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
    const recording = await startRecording(context, { url, ...names }).catch((cause: Error) =>
      fail('unavailable', `${url} cannot be opened: ${cause.message.split('\n')[0]}`, { cause }),
    )
    const stopped = untilStopped() // before anybody is told how to stop it
    cli.terminal.err.line('Recording. Alt+Shift+click asserts; close the window or press Ctrl-C to end.')
    await Promise.race([recording.closed, stopped])
    return await recording.stop()
  } finally {
    await browser.close()
  }
}

function untilStopped(): Promise<void> {
  const signal = stopSignal()
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function report({ steps, secrets, leftOut }: RecordedScenario, file: string, cli: Cli): number {
  const { out, err } = cli.terminal
  out.line(`${file}: ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`)
  for (const { code, reason, carried } of leftOut)
    err.line(err.paint.yellow(`${carried ? 'changed' : 'left out'}: ${code} (it ${reason})`))
  for (const name of secrets) err.line(`\${secrets.${name}} stands for what was typed: set MOLAR_SECRET_${name}.`)
  if (!steps.some((step) => step.startsWith('Assert')))
    err.line('It asserts nothing yet: add what must be true at its end, such as: Assert text "Thank you" is visible')
  return 0
}
