import { fail } from '../errors.ts'
import { type ChainedEvent, type ChainReport, chainChecker } from './chain.ts'
import type { AuditKey, Checkpoint } from './checkpoints.ts'

/**
 * Checks an export, with the keys given or, where there are none, those that it brings itself: they prove that it was
 * not changed since it was made, but not who made it.
 */
export function verifyExport(text: string, given: readonly AuditKey[] | undefined): ChainReport & { org_id: string } {
  const lines = text.split('\n').flatMap((line, at): Line[] => readLine(line, at + 1) ?? [])
  const head = lines.find(({ type }) => type === 'keys')
  const org_id = String(
    head?.org_id ?? fail('bad_request', 'This is no export of an audit trail: its first line names no org.'),
  )
  const of = <Kind>(type: string) =>
    lines.filter((line) => line.type === type).map(({ type: _type, ...rest }) => rest as unknown as Kind)
  const chain = chainChecker(
    org_id,
    of<Checkpoint>('checkpoint'),
    given ?? (head?.keys as AuditKey[] | undefined) ?? [],
  )
  for (const event of of<ChainedEvent>('event')) chain.take(event)
  return { org_id, ...chain.end() }
}

type Line = { type?: string } & Record<string, unknown>

/** As lines of JSON, or as the server-sent events that REST streams. */
function readLine(line: string, number: number): Line[] | undefined {
  const json = line.replace(/^data: ?/, '')
  if (json.trim() === '' || /^(?:id|event|retry)?:/.test(json)) return undefined
  try {
    return [JSON.parse(json)]
  } catch (cause) {
    return fail('bad_request', `Line ${number} of the export is not JSON.`, { cause })
  }
}
