import type { Queries } from '../core/context.ts'
import type { Keyring } from '../core/keyring.ts'
import type { leaseStore } from '../core/runs/index.ts'
import { compileScenario } from '../core/scenarios/compiled.ts'
import { findTexts, findVersion, passwordIn, type StepPlan, withoutPasswords } from '../core/scenarios/index.ts'
import { resolveSecrets } from '../core/secrets/index.ts'

type ClaimedRun = leaseStore.ClaimedRun

/** A run with all it needs, its secrets in the clear: for this process's memory alone. */
export interface LoadedRun {
  claimed: ClaimedRun
  plan: StepPlan
  /** Scenarios whose Setup and Steps go first, in order. */
  uses: StepPlan[]
  variables: Record<string, string>
  env: Record<string, string>
  secrets: Record<string, string>
  /** Passwords that the steps write down. */
  passwords: string[]
  data: Record<string, string>
}

export interface LoadFrom {
  db: Queries
  keyring: Keyring
  localSecrets: Record<string, string>
}

/** Throws an Error whose message is fit for the run's failure. */
export async function loadRun(claimed: ClaimedRun, { db, keyring, localSecrets }: LoadFrom): Promise<LoadedRun> {
  const version = await findVersion(db, claimed.scenario_id, claimed.scenario_version)
  if (!version)
    throw new Error(`Version ${claimed.scenario_version} of the scenario ${claimed.slug} is no longer stored.`)
  const plan = compile(claimed.slug, version.content)
  const texts = plan.uses.length > 0 ? await findTexts(db, plan.uses, []) : []
  const uses = plan.uses.map((slug) => {
    const text = texts.find((one) => one.slug === slug)
    if (!text) throw new Error(`The scenario ${slug}, which ${claimed.slug} uses, is no longer there.`)
    return compile(slug, text.content)
  })
  const given = claimed.secrets
    ? (JSON.parse(keyring.open(claimed.secrets, `${claimed.org_id}|run-secrets|${claimed.id}`)) as Record<
        string,
        string
      >)
    : {}
  const all = [plan, ...uses]
  return {
    claimed,
    plan: withoutPasswords(plan),
    uses: uses.map(withoutPasswords),
    variables: Object.assign({}, ...uses.map((one) => one.variables), plan.variables, claimed.variables),
    env: { BASE_URL: claimed.base_url, ...environmentOf(claimed.variables) },
    secrets: await resolveSecrets(
      all.flatMap((one) => one.secrets),
      { db, keyring, orgId: claimed.org_id, localSecrets, given },
    ),
    passwords: all.flatMap(({ steps }) => steps.flatMap((step) => passwordIn(step) ?? [])),
    data: claimed.data_row === null ? {} : (plan.data[claimed.data_row] ?? {}),
  }
}

function compile(slug: string, content: string): StepPlan {
  const result = compileScenario(content)
  if (result.ok) return result.plan
  throw new Error(`The scenario ${slug} no longer compiles: ${result.problems[0]?.code} ${result.problems[0]?.message}`)
}

const environmentOf = (variables: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (name.startsWith('env.') ? [[name.slice(4), value]] : [])),
  )
