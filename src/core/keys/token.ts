import { crc32 } from 'node:zlib'
import { randomBase62, toBase62 } from '../ids.ts'

/** `molar_sk_` + 43 base62 (256 bits) + 6 base62 of their CRC-32: a typo is told without a query, a scanner knows it at sight. */
export function newToken(): string {
  const random = randomBase62(43)
  return `molar_sk_${random}${checksum(random)}`
}

export function isWellFormedToken(token: string): boolean {
  const match = /^molar_sk_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/.exec(token)
  return match !== null && checksum(match[1]!) === match[2]
}

/** What may be shown of a token after its creation. */
export const tokenPrefix = (token: string): string => token.slice(0, 14)

const checksum = (random: string): string => toBase62(crc32(random), 6)
