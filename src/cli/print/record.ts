import { type Channel, harmless, pad, widthOf } from '../terminal.ts'
import { cell, isTinted, tint } from './cell.ts'

type Line = { depth: number; key: string; value: string | undefined; more?: string[] }

/** Keys and values: aligned and nested for people; `a.b<tab>value` a line for programs. */
export function printRecord(record: Record<string, unknown>, out: Channel): void {
  if (!out.live) {
    for (const [path, value] of flatten(record, '')) out.line(`${path}\t${value}`)
    return
  }
  const lines = nest(record, 0)
  const wide = Math.min(24, Math.max(0, ...lines.map(({ depth, key }) => depth * 2 + widthOf(key))))
  for (const { depth, key, value, more } of lines) {
    const name = out.paint.dim(pad('  '.repeat(depth) + key, wide))
    out.line(value === undefined ? name.trimEnd() : `${name}  ${isTinted(value) ? tint(value, out.paint) : value}`)
    for (const text of more ?? []) out.line(`${' '.repeat(depth * 2 + 2)}${text}`)
  }
}

function flatten(value: unknown, path: string): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, cell(value, false)]]
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object' || one === null))
    return [[path, cell(value, false)]]
  return Object.entries(value).flatMap(([key, child]) => flatten(child, path === '' ? key : `${path}.${key}`))
}

function nest(record: Record<string, unknown>, depth: number): Line[] {
  return Object.entries(record)
    .filter(([, value]) => value !== null && value !== undefined)
    .flatMap(([name, value]): Line[] => {
      const key = name.replaceAll('_', ' ')
      if (Array.isArray(value) && value.some((one) => typeof one === 'object' && one !== null)) {
        return [{ depth, key, value: undefined }, ...value.flatMap((one) => listed(one, depth + 1))]
      }
      if (typeof value === 'object' && !Array.isArray(value)) {
        return [{ depth, key, value: undefined }, ...nest(value as Record<string, unknown>, depth + 1)]
      }
      if (typeof value === 'string' && value.includes('\n')) {
        return [{ depth, key, value: undefined, more: harmless(value).trimEnd().split('\n') }]
      }
      return [{ depth, key, value: cell(value, true) }]
    })
}

/** An object in a list: its first field marks where it begins. */
function listed(value: unknown, depth: number): Line[] {
  if (typeof value !== 'object' || value === null) return [{ depth, key: '-', value: cell(value, true) }]
  const lines = nest(value as Record<string, unknown>, depth)
  const [first] = lines
  if (first) first.key = `- ${first.key}`
  for (const line of lines.slice(1)) if (line.depth === depth) line.key = `  ${line.key}`
  return lines
}
