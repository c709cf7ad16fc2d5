/** The fixed text of every emitted spec. No word of a scenario stands in it. */
export const header = `// @ts-nocheck
// Compiled by Molar from a scenario. Do not edit: change the scenario and compile it again.
//
// Runs under plain \`npx playwright test\`; nothing of Molar needs to be installed. It reads from the environment:
//   MOLAR_BASE_URL or BASE_URL      where the application runs, instead of the scenario's base_url
//   MOLAR_SECRET_<NAME>             each secret; Molar keeps the real ones, no spec holds them
//   MOLAR_VAR_<NAME>                a variable's other value; dots and hyphens in the name are underscores, in capitals
//   MOLAR_USER_ID, MOLAR_USER_EMAIL the run's user
// What cannot be carried over: clones and webhooks (such steps fail and say so), and uploaded assets (files are
// looked for beside this spec).
`

export const missingUses = `// This scenario uses others that were not given to the compiler: their steps are not in here.
`

const open = `
test.describe.configure({ retries: settings.retries })
test.use({
  viewport: { width: settings.viewport.width, height: settings.viewport.height },
  isMobile: settings.viewport.mobile,
  hasTouch: settings.viewport.mobile,
  ...(settings.locale && { locale: settings.locale }),
  ...(settings.timezone && { timezoneId: settings.timezone }),
  ...(settings.color_scheme && { colorScheme: settings.color_scheme }),
})

const teardownMs = 30_000

for (const [index, row] of rows.entries()) {
  test(rows.length > 1 ? \`\${title} (row \${index + 1})\` : title, async ({ context }, info) => {
    info.setTimeout(settings.timeout_ms + teardownMs + 10_000)
    const session = await openSession(context, settings, environmentOf(row, info))
    try {
      const main = within(session, settings.timeout_ms)
`

const teardown = `      await session.finish()
    } finally {
      const after = within(session, teardownMs)
`

const close = `      await after.close()
    }
  })
}

/** The session with no more than so much time for all of its steps together. */
function within(session, ms) {
  const end = performance.now() + ms
  return {
    async run(step) {
      const left = end - performance.now()
      if (left <= 0) throw new Error(\`The steps took longer than \${ms} ms together.\`)
      const timeout_ms = Math.min(step.options.timeout_ms ?? settings.step_timeout_ms, left)
      await session.run({ ...step, options: { ...step.options, timeout_ms } })
    },
    close: () => session.close(),
  }
}

/** An optional step: its failure is noted and passed over. */
async function pass(info, step) {
  await step().catch((error) => info.annotations.push({ type: 'optional step failed', description: error.message }))
}

/** A step of the teardown: all of them run, and a failure is a warning. */
async function warn(info, step) {
  await step().catch((error) => info.annotations.push({ type: 'warning', description: error.message }))
}

function environmentOf(row, info) {
  const baseUrl = process.env.MOLAR_BASE_URL ?? process.env.BASE_URL ?? settings.base_url
  if (!baseUrl) throw new Error('Set MOLAR_BASE_URL to where the application runs.')
  const id = crypto.randomUUID()
  const user = {
    id: process.env.MOLAR_USER_ID ?? \`user-\${id}\`,
    email: process.env.MOLAR_USER_EMAIL ?? \`user-\${id}@example.com\`,
  }
  return {
    baseUrl,
    variables: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [name, process.env[\`MOLAR_VAR_\${spelled(name)}\`] ?? value]),
    ),
    env: Object.fromEntries(env.map((name) => [name, required(name)])),
    secrets: Object.fromEntries(secrets.map((name) => [name, required(\`MOLAR_SECRET_\${name}\`)])),
    run: { id, user },
    data: row,
    stepTimeoutMs: settings.step_timeout_ms,
    files: async (name) => join(dirname(info.file), name),
  }
}

function spelled(name) {
  return name.replaceAll(/[.-]/g, '_').toUpperCase()
}

function required(name) {
  const value = process.env[name]
  if (value === undefined) throw new Error(\`Set \${name} in the environment.\`)
  return value
}
`

const runtime = (source: string) => `
// Molar's runtime, the same that its worker runs: how an element is found, a request awaited, a dialog met.
const { openSession } = (() => {
${source}

return { openSession }
})()
`

export const frame = { open, teardown, close, runtime }
