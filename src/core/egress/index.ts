import type { Socket } from 'node:net'
import { connectChecked, findAddresses, systemWires, type Wires } from './connect.ts'
import { type FetchOutside, makeFetch } from './fetch.ts'
import { type EgressRules, makeJudge } from './rules.ts'

export { OutsideError } from './error.ts'
export type { FetchOutside, OutsideOptions } from './fetch.ts'
export { allowEntryProblem, type EgressRules } from './rules.ts'

/** The way out to addresses that users give. What the operator configured (S3, SMTP, the database) needs none of it. */
export interface Egress {
  /** Whether everything must be public: the browser's connections then go through `connect` as well. */
  guarded: boolean
  fetchOutside: FetchOutside
  /** A plain connection to a checked address, for what is no fetch. Throws OutsideError. */
  connect(host: string, port: number): Promise<Socket>
  /** Throws OutsideError where `url` may not be asked, its name's addresses among it. A name that cannot be resolved is not judged. */
  check(url: string): Promise<void>
}

export function makeEgress(rules: EgressRules, wires: Wires = systemWires): Egress {
  const judge = makeJudge(rules)
  return {
    guarded: rules.reach === 'public',
    fetchOutside: makeFetch(judge, wires),
    connect: (host, port) => connectChecked({ host, port }, judge, wires, 10_000),
    async check(given) {
      const url = new URL(given)
      judge.url(url)
      await findAddresses(url.hostname, judge, wires).catch((error) => {
        if (error.reason !== 'unreachable') throw error
      })
    },
  }
}
