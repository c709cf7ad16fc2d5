import { typeOf } from '../../core/read-text.ts'
import type { JsonSchema } from '../../core/schema.ts'
import { type Channel, fit, pad, widthOf } from '../terminal.ts'
import { cell, isTinted, tint } from './cell.ts'

type Row = Record<string, unknown>
const gap = '  '

/** Rows under their column names: aligned and cut to the terminal, or tab-separated and whole. */
export function printTable(rows: readonly Row[], item: JsonSchema, out: Channel): void {
  const columns = columnsOf(rows, item)
  if (!out.live) {
    out.line(columns.join('\t'))
    for (const row of rows) out.line(columns.map((column) => cell(row[column], false)).join('\t'))
    return
  }
  if (rows.length === 0) return
  const cells = rows.map((row) => columns.map((column) => cell(row[column], true)))
  const widths = fitColumns(columns, cells, out.width)
  const line = (texts: readonly string[]) =>
    widths
      .map((width, at) => pad(fit(texts[at] ?? '', width), width))
      .join(gap)
      .trimEnd()
  out.line(out.paint.dim(line(columns.slice(0, widths.length).map((name) => name.replaceAll('_', ' ')))))
  for (const texts of cells) {
    const padded = widths.map((width, at) => {
      const text = texts[at] ?? ''
      return isTinted(text)
        ? tint(text, out.paint) + ' '.repeat(Math.max(0, width - widthOf(text)))
        : pad(fit(text, width), width)
    })
    out.line(padded.join(gap).trimEnd())
  }
}

/** The item's plain fields in the order of its schema, those present in any row. */
function columnsOf(rows: readonly Row[], item: JsonSchema): string[] {
  const declared = Object.entries(item.properties ?? {})
    .filter(([, field]) => isPlain(field))
    .map(([name]) => name)
  if (rows.length === 0) return declared
  const known = declared.length > 0 ? declared : [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return known.filter((name) => rows.some((row) => name in row))
}

function isPlain(field: JsonSchema): boolean {
  const { type, schema } = typeOf(field)
  if (type === 'array') return !['object', 'array', undefined].includes(typeOf(schema.items ?? {}).type)
  return type !== 'object'
}

/** Widths of the columns that fit, from the left. The last ones give way; an id is never cut, for it is there to be copied. */
function fitColumns(columns: readonly string[], cells: readonly string[][], width: number): number[] {
  const widest = columns.map((name, at) => Math.max(widthOf(name), ...cells.map((row) => widthOf(row[at] ?? ''))))
  const widths: number[] = []
  let left = width
  for (const [at, wanted] of widest.entries()) {
    const room = left - (at > 0 ? gap.length : 0)
    const least = Math.min(wanted, /^id$|_id$|^slug$/.test(columns[at] ?? '') ? wanted : 12)
    if (room < least && at > 0) break
    const given = Math.min(wanted, Math.max(least, Math.min(room, 48)))
    widths.push(given)
    left = room - given
  }
  return widths
}
