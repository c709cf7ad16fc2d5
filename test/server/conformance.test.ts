import t from 'tap'
import { type Result, requiredScenarios, revisions, runConformance } from '../../scripts/conformance.ts'
import { serveConformance } from '../fixtures/conformance.ts'
import { keyedProxy } from '../fixtures/keyed-proxy.ts'
import { world } from '../fixtures/world.ts'

const faults = (results: Result[]) =>
  results.filter(({ passed }) => !passed).map(({ scenario, checks }) => ({ scenario, checks }))

const required = { '2026-07-28': 37, '2025-11-25': 30 }

t.test('the suite of the protocol passes in both eras on the host that serves Molar', async (t) => {
  const fixture = await serveConformance()
  t.teardown(() => fixture.close())
  for (const revision of revisions) {
    const results = await runConformance(fixture.url, revision)
    t.equal(results.length, required[revision])
    t.same(faults(results), [], revision)
  }
})

/** What needs none of the suite's own tools. */
const generic = [
  'server-initialize',
  'ping',
  'tools-list',
  'resources-list',
  'prompts-list',
  'server-sse-multiple-streams',
  'dns-rebinding-protection',
  'sep-2164-resource-not-found',
  'caching',
  'input-required-result-unsupported-methods',
]

t.test('the scenarios that need no tools of their own pass on Molar itself', async (t) => {
  const here = await world(t)
  const proxy = await keyedProxy(here.url, here.token)
  t.teardown(() => proxy.close())
  for (const revision of revisions) {
    const required = await requiredScenarios(revision)
    const wanted = required.filter((scenario) => generic.includes(scenario))
    const results = await runConformance(`${proxy.url}/mcp`, revision, wanted)
    t.ok(results.length >= 7, `${results.length} scenarios`)
    t.same(faults(results), [], revision)
  }
})
