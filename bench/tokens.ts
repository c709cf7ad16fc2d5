import { commands } from '../src/core/index.ts'
import { estimateTokens, toolCatalogue } from '../src/tools/index.ts'
import { tell } from './row.ts'

// What every client reads at the start of every session.

const { list } = toolCatalogue(commands).select({})
tell({
  what: 'tools/list, default set, tokens',
  value: estimateTokens(list),
  most: 5000,
  detail: `${list.tools.length} tools, ${JSON.stringify(list).length} bytes`,
})
