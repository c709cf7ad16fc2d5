import t from 'tap'
import { commands } from '../../src/core/index.ts'
import { instructions } from '../../src/core/instructions.ts'
import { estimateTokens, toolCatalogue } from '../../src/tools/index.ts'
import { lintTools } from '../fixtures/lint-tools.ts'

t.test('every tool and resource of Molar keeps the rules; by default at most 20 tools and 5,000 tokens', async (t) => {
  t.ok(commands.length > 0)
  t.same(lintTools(commands), [])
})

t.test('the instructions cost under 200 tokens and name only tools that are there by default', async (t) => {
  t.ok(estimateTokens(instructions) < 200, `${estimateTokens(instructions)} tokens`)
  const tools = toolCatalogue(commands).select({})
  const named = instructions.match(/molar_\w+/g) ?? []
  t.ok(named.length >= 4)
  for (const name of named) t.ok(tools.find(name), name)
})
