import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { newId } from '../../core/ids.ts'

/** Where the CLI is logged in. Without a refresh token it is a key that somebody gave. */
export interface Login {
  api_url: string
  token: string
  refresh_token?: string | undefined
  /** ISO 8601. */
  expires_at?: string | undefined
}

const names = ['api_url', 'token', 'refresh_token', 'expires_at'] as const

/** The login in this TOML file; undefined where there is none. */
export async function readLogin(file: string): Promise<Login | undefined> {
  const found = Object.fromEntries((await lines(file)).flatMap((line) => (line.value ? [[line.name, line.value]] : [])))
  return found.api_url && found.token ? (found as unknown as Login) : undefined
}

/** Keeps this login instead of the one before, or none. What else the file holds stays. Only its owner may read it. */
export async function writeLogin(file: string, login: Login | undefined): Promise<void> {
  const others = (await lines(file)).flatMap(({ name, text }) => (names.some((own) => own === name) ? [] : [text]))
  const own = names.flatMap((name) => (login?.[name] === undefined ? [] : [`${name} = ${JSON.stringify(login[name])}`]))
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  // Another process that reads meanwhile finds a whole file.
  const draft = `${file}.${newId()}`
  // Above the first table's header, where keys belong to none.
  await writeFile(draft, `${[...own, ...others].join('\n').trimEnd()}\n`, { mode: 0o600 })
  await rename(draft, file)
}

interface Line {
  text: string
  name: string | undefined
  value: string | undefined
}

/** Each line with the key that it sets, where that is text at the top of the file. */
async function lines(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return ''
  })
  let top = true
  return text.split(/\r?\n/).map((line) => {
    if (line.trimStart().startsWith('[')) top = false
    const [, name, value] = /^\s*(\w+)\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*')\s*(?:#.*)?$/.exec(line) ?? []
    if (!top || name === undefined || value === undefined) return { text: line, name: undefined, value: undefined }
    return { text: line, name, value: value.startsWith("'") ? value.slice(1, -1) : unquote(value) }
  })
}

function unquote(value: string): string | undefined {
  try {
    return JSON.parse(value) as string
  } catch {
    return undefined // an escape that only TOML has
  }
}
