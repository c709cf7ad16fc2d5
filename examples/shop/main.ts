import { parseArgs } from 'node:util'
import { bugs } from './bugs.ts'
import { startShop } from './shop.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '4100' }, bugs: { type: 'string' }, help: { type: 'boolean' } },
})

if (values.help) {
  const list = Object.entries(bugs).map(([name, bug]) => `  ${name.padEnd(16)} ${bug.explains}\n`)
  process.stderr.write(
    `node examples/shop/main.ts [--port 4100] [--bugs a,b] (or SHOP_BUGS=a,b)\n\nBugs:\n${list.join('')}`,
  )
} else {
  const names = (values.bugs ?? process.env.SHOP_BUGS ?? '').split(',').filter(Boolean)
  const shop = await startShop({ port: Number(values.port), bugs: names })
  process.stderr.write(`The shop is open at ${shop.url}${names.length ? `, with ${names.join(', ')}` : ''}\n`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void shop.close())
}
