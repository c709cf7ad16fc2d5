import type { CompleteResult } from '@modelcontextprotocol/server'
import { call } from '../core/call.ts'
import type { Command, Completion } from '../core/command.ts'
import type { CallContext } from '../core/context.ts'

/** Most values of one answer: the protocol's own limit. */
const mostValues = 100
/** Items looked through for a beginning: the newest ones, a page each call. */
const pageSize = 200
const mostPages = 5

/** Values that begin with what was typed, from a list that the caller may read, in that list's order. */
export async function suggest(
  commands: readonly Command[],
  { list, field, input }: Completion,
  typed: string,
  context: CallContext,
): Promise<CompleteResult> {
  const command = commands.find((one) => one.name === list)
  if (!command) throw new Error(`${list}, which completion names, is not a command`)
  const begin = typed.toLowerCase()
  const values = new Set<string>()
  let cursor: string | undefined
  for (let page = 0; page < mostPages && values.size <= mostValues; page++) {
    const answer = await call(command, { ...input, limit: pageSize, fields: [field], cursor }, context)
    for (const item of answer.items as Record<string, unknown>[]) {
      const value = String(item[field])
      if (value.toLowerCase().startsWith(begin)) values.add(value)
    }
    cursor = (answer.next_cursor as string | null) ?? undefined
    if (cursor === undefined) break
  }
  const all = [...values]
  const hasMore = cursor !== undefined || all.length > mostValues
  return { completion: { values: all.slice(0, mostValues), hasMore, ...(!hasMore && { total: all.length }) } }
}
