import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fail } from '../../core/errors.ts'
import { assetsBeside, type BlobText } from '../assets.ts'

/** Beside src/ in the repository and beside dist/ in the package, where the sources are JavaScript. */
const examples = new URL('../../../examples/', import.meta.url)

export interface DemoShop {
  url: string
  close(): Promise<void>
}

export interface Example {
  file: string
  content: string
  assets: BlobText[]
}

/** The bug that the demo plants, the scenario that must find it, and the secrets that the scenarios need. */
export const planted = {
  bug: 'coupon-rounding',
  finds: 'coupon',
  secrets: { USER_PASSWORD: 'correct-horse-battery', CARD_NUMBER: '4242424242424242' },
} as const

/** The sample shop on a free port of loopback, with its bug. */
export async function openShop(): Promise<DemoShop> {
  const module = new URL(`shop/shop${extname(import.meta.url)}`, examples).href
  const { startShop } = (await import(module).catch((cause: unknown) => missing(cause))) as {
    startShop(options: { port: number; bugs: string[] }): Promise<DemoShop>
  }
  return startShop({ port: 0, bugs: [planted.bug] })
}

/** The scenarios in the order of their names. */
export async function readExamples(): Promise<Example[]> {
  const names = (await readdir(examples).catch((cause: unknown) => missing(cause)))
    .filter((name) => name.endsWith('.molar.md'))
    .sort()
  return Promise.all(names.map((name) => readExample(fileURLToPath(new URL(name, examples)))))
}

async function readExample(file: string): Promise<Example> {
  const content = await readFile(file, 'utf8')
  return { file, content, assets: await assetsBeside(file, content) }
}

function missing(cause: unknown): never {
  return fail(
    'unavailable',
    `The sample shop cannot be read from ${fileURLToPath(examples)}: ${(cause as Error).message}`,
    { cause },
  )
}
