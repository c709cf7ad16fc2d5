import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import { fail } from './core/errors.ts'

/** How single variables of the environment are read, and refused with one line that says what they take. */

export type Environment = Record<string, string | undefined>

export type Get = (name: string) => string | undefined

export function wrong(name: string, value: string, takes: string): never {
  return fail('bad_request', `${name} is "${value}": it takes ${takes}.`)
}

/** A value that may hold a password is never shown back. */
export function url(get: Get, name: string, protocols: string[]): string | undefined {
  const value = get(name)
  if (value === undefined || protocols.includes(URL.parse(value)?.protocol ?? '')) return value
  return fail(
    'bad_request',
    `${name} is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}.`,
  )
}

/** `postgresql://user@/db?host=/socket` has no host, which PostgreSQL takes and a URL does not: it gets one, which `host` outranks. */
export const postgresUrl = (get: Get, name: string): string | undefined =>
  url((name) => get(name)?.replace(/^(\w+:\/\/[^/?#]*@)\//, '$1localhost/'), name, ['postgres:', 'postgresql:'])

export function whole(get: Get, name: string, least: number, most: number): number | undefined {
  const value = get(name)
  if (value === undefined) return undefined
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
  return number >= least && number <= most ? number : wrong(name, value, `a whole number, ${least} to ${most}`)
}

export function choice<const Name extends string>(get: Get, name: string, allowed: readonly Name[]): Name | undefined {
  const value = get(name)
  if (value === undefined) return undefined
  return allowed.find((one) => one === value.toLowerCase()) ?? wrong(name, value, allowed.join(', '))
}

export function secret(get: Get, name: string): string | undefined {
  const value = get(name)
  if (value === undefined || value.length >= 32) return value
  return fail(
    'bad_request',
    `${name} is too short: it takes 32 characters or more, such as \`openssl rand -hex 32\` prints.`,
  )
}

export const list = (value: string | undefined): string[] | undefined =>
  value
    ?.split(',')
    .map((part) => part.trim())
    .filter(Boolean)

export function origins(get: Get, name: string): string[] {
  return (list(get(name)) ?? []).map((origin) => {
    if (!/^https?:\/\/(\*\.)?[^/*]+$/.test(origin))
      wrong(name, origin, 'origins such as https://cdn.example.com or https://*.example.com')
    return origin
  })
}

export function ranges(get: Get, name: string): string[] {
  return (list(get(name)) ?? []).map((one) => {
    const [address = '', bits, ...more] = one.split('/')
    const most = isIP(address) === 6 ? 128 : 32
    const isRange = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
    if (isIP(address) === 0 || !isRange || more.length > 0) wrong(name, one, 'addresses or ranges such as 10.0.0.0/8')
    return one
  })
}

export function folder(get: Get, name: string): string | undefined {
  const value = get(name)
  return value === undefined ? undefined : resolve(value)
}

export const onPath = (name: string, path = ''): string | undefined =>
  path
    .split(delimiter)
    .filter(isAbsolute)
    .map((folder) => join(folder, name))
    .find(existsSync)

export const forced = (value: string | undefined): boolean | undefined =>
  value === undefined ? undefined : !['0', 'false'].includes(value)

/** Values as they are: a secret may end in a space. */
export function prefixed(environment: Environment, prefix: string): Record<string, string> {
  const found = Object.entries(environment).filter(
    ([name, value]) => name.startsWith(prefix) && name !== prefix && value,
  )
  return Object.fromEntries(found.map(([name, value]) => [name.slice(prefix.length), value ?? '']))
}

export function picked(environment: Environment, names: string[]): Record<string, string> {
  const found = names.flatMap((name) => [name, name.toLowerCase()]).filter((name) => environment[name])
  return Object.fromEntries(found.map((name) => [name, environment[name] ?? '']))
}
