import { useRuns } from '../billing/index.ts'
import type { HandlerContext } from '../context.ts'
import { fail } from '../errors.ts'
import { newId, randomBase62 } from '../ids.ts'
import { compiler, findTexts, type ScenarioText, type StepPlan } from '../scenarios/index.ts'
import { missingSecrets } from '../secrets/index.ts'
import { insertRun, notifyRuns } from './store.ts'

/** The queue that workers take runs from. */
export const runQueue = 'runs'
export interface RunJob {
  org_id: string
  run_id: string
}

export interface RunOrder {
  text: ScenarioText
  base_url?: string | undefined
  region: string
  variables: Record<string, string>
  secrets: Record<string, string>
  repo?: string | undefined
  commit_sha?: string | undefined
  pr_number?: number | undefined
  /** Only this row of the scenario's table. */
  data_row?: number | undefined
  rerun_of?: string
}

/** Queues a run (one a row of the scenario's table), with everything that can be known to be missing said now. */
export async function queueRuns(order: RunOrder, context: HandlerContext): Promise<string[]> {
  const { text } = order
  const { compileScenario } = await compiler()
  const result = compileScenario(text.content)
  if (!result.ok) throw new Error(`The stored scenario ${text.slug} does not compile: ${result.problems[0]?.message}`)
  const { plan } = result
  const baseUrl = order.base_url ?? plan.settings.base_url
  if (baseUrl === undefined)
    fail(
      'validation_failed',
      `base_url: ${text.slug} has none of its own, so the run needs one, such as http://localhost:3000.`,
    )
  await refuseUnresolved(plan, order, context)
  await refuseUnknownUses(plan, context)
  const rows =
    plan.data.length === 0 ? [null] : order.data_row === undefined ? plan.data.map((_, row) => row) : [order.data_row]
  if (order.data_row !== undefined && plan.data[order.data_row] === undefined) {
    fail('validation_failed', `data_row: ${text.slug} has ${plan.data.length} rows, counted from 0.`)
  }
  const ids: string[] = []
  for (const row of rows) {
    const id = await insertOrder(order, plan, baseUrl, row, context)
    const job: RunJob = { org_id: context.principal.org.id, run_id: id }
    await context.enqueue(runQueue, job)
    ids.push(id)
  }
  await notifyRuns(context.db, ids)
  await useRuns(context, ids)
  return ids
}

/** The rows of one run; who executes it is its caller's business. */
export async function insertOrder(
  order: RunOrder,
  plan: StepPlan,
  baseUrl: string | null,
  dataRow: number | null,
  context: HandlerContext,
): Promise<string> {
  const { principal, db, keyring } = context
  const id = newId()
  const given = Object.keys(order.secrets).length > 0
  await insertRun(db, {
    id,
    orgId: principal.org.id,
    traceId: newId(),
    shortId: randomBase62(9),
    scenarioId: order.text.id,
    scenarioVersion: order.text.version,
    slug: order.text.slug,
    title: plan.scenario.title,
    type: order.pr_number === undefined ? 'manual' : 'pr',
    region: order.region,
    baseUrl,
    repo: order.repo ?? null,
    commitSha: order.commit_sha ?? null,
    prNumber: order.pr_number ?? null,
    variables: order.variables,
    secrets: given ? keyring.seal(JSON.stringify(order.secrets), `${principal.org.id}|run-secrets|${id}`) : null,
    dataRow,
    retries: plan.settings.retries,
    stepCount: plan.steps.length,
    rerunOf: order.rerun_of ?? null,
    createdBy: principal.id,
  })
  return id
}

/** What `${secrets.X}` and `${env.X}` will not find is said before anything is queued. */
async function refuseUnresolved(plan: StepPlan, order: RunOrder, context: HandlerContext): Promise<void> {
  const secrets = await missingSecrets(plan.secrets, { ...context, given: order.secrets })
  const env = plan.env.filter((name) => name !== 'BASE_URL' && order.variables[`env.${name}`] === undefined)
  const unknown = Object.keys(order.variables).filter(
    (name) => !name.startsWith('env.') && plan.variables[name] === undefined,
  )
  if (secrets.length + env.length + unknown.length === 0) return
  const messages = [
    ...secrets.map(
      (name) =>
        `MOLAR_S005 the secret ${name} has no value: give it in secrets, store it with molar_set_secret, or locally as MOLAR_SECRET_${name}`,
    ),
    ...env.map((name) => `MOLAR_S005 \${env.${name}} has no value: give it in variables as "env.${name}"`),
    ...unknown.map(
      (name) =>
        `variables.${name}: ${order.text.slug} declares no such variable; it has ${Object.keys(plan.variables).join(', ') || 'none'}`,
    ),
  ]
  fail('validation_failed', `${messages.join('; ')}.`)
}

async function refuseUnknownUses(plan: StepPlan, { db }: HandlerContext): Promise<void> {
  if (plan.uses.length === 0) return
  const found = await findTexts(db, plan.uses, [])
  const missing = plan.uses.filter((slug) => !found.some((text) => text.slug === slug))
  if (missing.length > 0)
    fail(
      'validation_failed',
      `${plan.scenario.slug} uses ${missing.join(', ')}, which ${missing.length > 1 ? 'are' : 'is'} not uploaded.`,
    )
}
