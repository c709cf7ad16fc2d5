import { type AuditRecord, chainHash } from '../stages/audit.ts'
import { type AuditKey, type Checkpoint, isSigned } from './checkpoints.ts'

/** An event with its place in the chain; hashes in hexadecimal. */
export interface ChainedEvent extends AuditRecord {
  previous_hash: string
  hash: string
}

export interface ChainProblem {
  what: 'changed' | 'missing' | 'rewritten' | 'truncated' | 'forged_checkpoint'
  /** The event that it is about, or the first of those that are. */
  seq: number
  message: string
}

export interface ChainReport {
  valid: boolean
  events: number
  last_seq: number
  /** Good checkpoints, and the number of the last event that one of them vouches for; 0 for none. */
  checkpoints: number
  vouched_to: number
  /** The first hundred. */
  problems: ChainProblem[]
}

const mostProblems = 100

/** Takes a chain's events in order, from the first, and says what is wrong with it. Needs nothing but them, checkpoints and public keys. */
export function chainChecker(orgId: string, checkpoints: readonly Checkpoint[], keys: readonly AuditKey[]) {
  const problems: ChainProblem[] = []
  const tell = (what: ChainProblem['what'], seq: number, message: string) => {
    if (problems.length < mostProblems) problems.push({ what, seq, message })
  }
  const good = checkpoints.filter((one) => one.org_id === orgId && isSigned(one, keys))
  for (const one of checkpoints)
    if (!good.includes(one))
      tell(
        'forged_checkpoint',
        one.seq,
        `The checkpoint for event ${one.seq} (${one.at}) is not signed by this installation for this org.`,
      )
  const vouched = Map.groupBy(good, ({ seq }) => seq)
  let [events, last, hash] = [0, 0, '']
  return {
    take(event: ChainedEvent): void {
      const { previous_hash, hash: kept, ...record } = event
      const { seq } = record
      if (seq !== last + 1)
        tell('missing', last + 1, `${numbered(last + 1, seq - 1)} ${seq - 1 > last + 1 ? 'are' : 'is'} missing.`)
      else if (previous_hash !== hash)
        tell('rewritten', seq, `Event ${seq} does not follow event ${last} as that is now: one of them was replaced.`)
      if (chainHash(Buffer.from(previous_hash, 'hex'), record).toString('hex') !== kept)
        tell(
          'changed',
          seq,
          `Event ${seq} (${record.command}, ${record.at}) is not what was recorded: its hash does not fit it.`,
        )
      const other = vouched.get(seq)?.find((one) => one.hash !== kept)
      if (other)
        tell(
          'rewritten',
          seq,
          `Event ${seq} is not the one that stood there at ${other.at}: a checkpoint of then has another hash.`,
        )
      ;[events, last, hash] = [events + 1, seq, kept]
    },
    /** `head`: what the chain's own head says, where there is one to ask. */
    end(head?: { seq: number; hash: string }): ChainReport {
      const furthest = good.reduce<Checkpoint | undefined>(
        (one, two) => (one && one.seq >= two.seq ? one : two),
        undefined,
      )
      if (furthest && furthest.seq > last)
        tell(
          'truncated',
          last + 1,
          `${numbered(last + 1, furthest.seq)} ${furthest.seq > last + 1 ? 'are' : 'is'} gone from the end: a checkpoint of ${furthest.at} knew of them.`,
        )
      else if (head && (head.seq !== last || head.hash !== hash))
        tell(
          'truncated',
          Math.min(last, head.seq) + 1,
          `The chain’s head is event ${head.seq}, but the last event is ${last}.`,
        )
      const vouched_to = Math.min(furthest?.seq ?? 0, last)
      return { valid: problems.length === 0, events, last_seq: last, checkpoints: good.length, vouched_to, problems }
    },
  }
}

const numbered = (from: number, to: number): string => (to > from ? `Events ${from} to ${to}` : `Event ${from}`)
