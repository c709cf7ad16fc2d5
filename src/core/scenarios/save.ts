import type { Queries } from '../context.ts'
import { CommandError } from '../errors.ts'
import { saveAssets } from './assets.ts'
import type { Compiled } from './compiled.ts'
import type { Scenario, Uploaded } from './scenario.ts'
import { lockScenarios, saveScenario } from './store.ts'

/** Stores compiled scenarios: a new version where the hash differs, nothing where it is the same. */
export async function saveCompiled(tx: Queries, orgId: string, compiled: readonly Compiled[]): Promise<Uploaded[]> {
  const there = await lockScenarios(
    tx,
    compiled.map(({ plan }) => plan.scenario.id),
    compiled.map(({ plan }) => plan.scenario.slug),
  )
  const results: Uploaded[] = []
  for (const one of compiled) results.push(await saveOne(tx, orgId, one, there))
  return results
}

async function saveOne(tx: Queries, orgId: string, one: Compiled, there: readonly Scenario[]): Promise<Uploaded> {
  const { id, slug, title, description, priority, tags } = one.plan.scenario
  const current = there.find((scenario) => scenario.id === id)
  const namesake = there.find(
    (scenario) => scenario.slug === slug && scenario.id !== id && scenario.archived_at === null,
  )
  if (namesake) {
    throw new CommandError(
      'conflict',
      `MOLAR_S008 The slug ${slug} belongs to scenario ${namesake.id}. Give this one another slug or that one’s id, or archive that one (molar_archive_scenario).`,
    )
  }
  const unchanged = current?.hash === one.hash && current.archived_at === null
  const version = unchanged ? current.version : (current?.version ?? 0) + 1
  if (!unchanged)
    await saveScenario(
      tx,
      orgId,
      { id, slug, title, description, priority, tags, hash: one.hash, content: one.canonical },
      version,
    )
  await saveAssets(tx, orgId, id, one.assets)
  return {
    file: one.file,
    id,
    slug,
    version,
    hash: one.hash,
    status: unchanged ? 'unchanged' : current ? 'updated' : 'created',
  }
}
