import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import t from 'tap'
import { startShop } from '../../examples/shop/shop.ts'

// An IDE's agent on stdio, on a machine that has never run Molar.

const bin = fileURLToPath(new URL('../../bin/molar.js', import.meta.url))
const tokens = (value: unknown) => Math.ceil(Buffer.byteLength(JSON.stringify(value)) / 4)

t.test('an agent gets from nothing to a diagnosed failure in three calls and 4,000 tokens of answers', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'molar-agent-'))
  const shop = await startShop({ bugs: ['coupon-rounding'] })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bin, 'mcp'],
    env: { PATH: process.env.PATH ?? '', HOME: home, MOLAR_HOME: join(home, '.molar') },
    stderr: 'pipe',
  })
  const client = new Client({ name: 'agent', version: '1' })
  t.teardown(async () => {
    await client.close()
    await shop.close()
    await rm(home, { recursive: true, force: true })
  })
  await client.connect(transport)
  t.match(client.getInstructions(), /molar_run_scenarios/, 'the server says how to go about it')
  const { tools } = await client.listTools()
  t.ok(tools.length <= 20 && tokens(tools) <= 5000, 'the default tools fit')

  const started = await client.callTool({
    name: 'molar_new_scenario',
    arguments: { slug: 'apply-coupon', base_url: shop.url },
  })
  const [file] = (started.structuredContent as { files: { content: string }[] }).files
  const steps = [
    'Request POST /api/cart with `{"slug": "reading-lamp"}` expects 201',
    'Navigate to /cart',
    'Fill "Coupon" with "WELCOME15"',
    'Click button "Apply"',
    'Assert text "Coupon WELCOME15 is applied." is visible {timeout: 2s}',
  ]
  const content = `${file!.content.split('## Steps')[0]}## Steps\n${steps.map((step, place) => `${place + 1}. ${step}`).join('\n')}\n`

  const wrong = await client.callTool({
    name: 'molar_run_scenarios',
    arguments: { files: [{ content: content.replace('Fill "Coupon"', 'Fil "Coupon"') }] },
  })
  t.equal(wrong.isError, true)
  t.match(
    (wrong.content as { text: string }[])[0]!.text,
    /MOLAR_S001.*Fill/s,
    'a slip is told with its place and the verb that was meant',
  )

  const ran = await client.callTool({ name: 'molar_run_scenarios', arguments: { files: [{ content }], wait: 50 } })
  const [text] = ran.content as { text: string }[]
  t.match(ran.structuredContent, { verdict: 'failed', runs: [{ failure: { step: { number: 5 } } }] })
  t.match(text!.text, /answered 500/, 'the cause is named')
  const answers = tokens(started.content) + tokens(wrong.content) + tokens(ran.content)
  t.ok(answers <= 4000, `three answers, ${answers} tokens`)
  t.comment(`${answers} tokens as text; ${tokens(started) + tokens(wrong) + tokens(ran)} with structured content`)
})
