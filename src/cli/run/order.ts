import { fail } from '../../core/errors.ts'
import type { Project } from '../../core/scenarios/language/index.ts'
import type { SourceText } from '../read-files.ts'
import type { Wanted } from './gather.ts'

export interface OrderChoices {
  baseUrl: string | undefined
  variables: Record<string, string>
  /** MOLAR_SECRET_*: each run gets those that its scenario declares, and no others. */
  secrets: Record<string, string>
  project: Project | undefined
}

/** One call of runs.startMany: scenarios that run with the same base URL, variables and secrets. */
export interface Order {
  scenarios: string[]
  files: SourceText[]
  base_url?: string
  variables: Record<string, string>
  secrets: Record<string, string>
  wait: 0
}

/** The most that runs.startMany takes at once. */
const mostRuns = 100

/** The calls that run all of them. Throws where a variable was given that none of them knows. */
export function makeOrders(wanted: readonly Wanted[], choices: OrderChoices): Order[] {
  for (const name of Object.keys(choices.variables)) {
    if (!wanted.some((one) => knows(one, name)))
      fail('bad_request', `--var ${name}: none of these scenarios declares such a variable.`)
  }
  const orders = new Map<string, Order>()
  for (const one of wanted) {
    const terms = termsOf(one, choices)
    const base = JSON.stringify(terms)
    let key = base
    for (let part = 2; isFull(orders.get(key)); part++) key = `${base} ${part}`
    const order = orders.get(key) ?? { scenarios: [], files: [], ...terms, wait: 0 }
    if (one.source) order.files.push(one.source)
    else order.scenarios.push(one.slug)
    orders.set(key, order)
  }
  return [...orders.values()]
}

const isFull = (order: Order | undefined): boolean =>
  order !== undefined && order.scenarios.length + order.files.length >= mostRuns

/** --base-url over the scenario's own over the project's. */
function termsOf(
  one: Wanted,
  { baseUrl, variables, secrets, project }: OrderChoices,
): Pick<Order, 'base_url' | 'variables' | 'secrets'> {
  const url = baseUrl ?? (one.plan.settings.base_url === undefined ? project?.base_url : undefined)
  const all = { ...project?.variables, ...variables }
  return {
    ...(url === undefined ? {} : { base_url: url }),
    variables: pick(all, (name) => knows(one, name)),
    secrets: pick(secrets, (name) => one.plan.secrets.includes(name)),
  }
}

function knows({ plan }: Wanted, name: string): boolean {
  return name.startsWith('env.') ? plan.env.includes(name.slice('env.'.length)) : Object.hasOwn(plan.variables, name)
}

const pick = (from: Record<string, string>, keep: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(Object.entries(from).filter(([name]) => keep(name)))
