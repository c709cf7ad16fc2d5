import { isHttpUrl } from './schema.ts'
import { isReferenceName } from './values.ts'

/** A command that serves the application while scenarios run against it. */
export interface WebServer {
  command: string
  /** Answers once the application is ready. */
  url: string
  timeout_ms: number
  /** Whether one that answers already is used as it is; undefined: yes, save in CI. */
  reuse: boolean | undefined
  /** Where the command runs, relative to the project file. */
  cwd: string
}

/** A place where the application runs, by name. */
export interface ProjectEnvironment {
  base_url: string | undefined
  variables: Record<string, string>
}

/** Says what is wrong with the value at a path below the key. */
type Wrong = (message: string, path?: readonly string[]) => void

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `web_server: {command, url, timeout?, reuse?, cwd?}`; undefined, and a word why, where it cannot be used. */
export function readWebServer(value: unknown, wrong: Wrong): WebServer | undefined {
  if (!isMap(value)) {
    wrong('"web_server" is a map of command, url, timeout, reuse and cwd.')
    return undefined
  }
  const { command, url, timeout = '60s', reuse, cwd = '.', ...rest } = value
  for (const key of Object.keys(rest)) wrong(`"web_server" has no key "${key}".`, [key])
  const timeoutMs = readDuration(timeout)
  if (typeof command !== 'string' || command.trim() === '') wrong('"command" is the command that starts the server.')
  else if (typeof url !== 'string' || !isHttpUrl(url)) wrong('"url" is the http(s) URL that answers once it is ready.')
  else if (timeoutMs === undefined) wrong('"timeout" is a duration, such as 60s.', ['timeout'])
  else if (reuse !== undefined && typeof reuse !== 'boolean') wrong('"reuse" is true or false.', ['reuse'])
  else if (typeof cwd !== 'string' || !isDirectory(cwd))
    wrong('"cwd" is a directory inside of the repository.', ['cwd'])
  else return { command, url, timeout_ms: timeoutMs, reuse, cwd }
  return undefined
}

/** `environments: {staging: https://…, local: {base_url, variables}}` */
export function readEnvironments(value: unknown, wrong: Wrong): Record<string, ProjectEnvironment> {
  const found: Record<string, ProjectEnvironment> = {}
  if (!isMap(value)) {
    wrong('"environments" is a map of names to base URLs and variables.')
    return found
  }
  for (const [name, given] of Object.entries(value)) {
    const terms = typeof given === 'string' ? { base_url: given } : given
    if (!/^[\w-]{1,64}$/.test(name) || !isMap(terms)) {
      wrong(`The environment "${name}" is a base URL, or a map of base_url and variables.`, [name])
      continue
    }
    const { base_url: url, variables = {}, ...rest } = terms
    for (const key of Object.keys(rest)) wrong(`An environment has no key "${key}".`, [name, key])
    const usable = typeof url === 'string' && isHttpUrl(url)
    if (url !== undefined && !usable) wrong('"base_url" must be an http(s) URL.', [name, 'base_url'])
    found[name] = {
      base_url: usable ? url : undefined,
      variables: readVariables(variables, (message) => wrong(message, [name, 'variables'])),
    }
  }
  return found
}

/** Names and plain texts; what is none is told and left out. */
export function readVariables(value: unknown, wrong: (message: string) => void): Record<string, string> {
  const found: Record<string, string> = {}
  if (!isMap(value)) {
    wrong('"variables" is a map of names to texts.')
    return found
  }
  for (const [name, text] of Object.entries(value)) {
    const plain = ['string', 'number', 'boolean'].includes(typeof text)
    if (plain && isReferenceName(name)) found[name] = String(text)
    else wrong(`The variable "${name}" is no text.`)
  }
  return found
}

/** Relative, and not out of the repository. */
export function isDirectory(path: string): boolean {
  const parts = path.split(/[\\/]/)
  return path !== '' && path.length <= 500 && !path.startsWith('/') && !path.includes(':') && !parts.includes('..')
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000 }

function readDuration(value: unknown): number | undefined {
  const [, number, unit = 's'] = /^(\d{1,6})(ms|s|m)?$/.exec(String(value)) ?? []
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1000)
}
