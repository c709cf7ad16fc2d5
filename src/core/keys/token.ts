import { crc32 } from 'node:zlib'
import { randomBase62, toBase62 } from '../ids.ts'

/** sk: an API key; pat: a person's own token; svc: a program's; inv: what an invitation's mail holds. */
export const tokenKinds = ['sk', 'pat', 'svc', 'inv'] as const
export type TokenKind = (typeof tokenKinds)[number]

/** `molar_sk_` + 43 base62 (256 bits) + 6 base62 of their CRC-32: a typo is told without a query, a scanner knows it at sight. */
export function newToken(kind: TokenKind = 'sk'): string {
  const random = randomBase62(43)
  return `molar_${kind}_${random}${checksum(random)}`
}

const form = new RegExp(`^molar_(?:${tokenKinds.join('|')})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$`)

export function isWellFormedToken(token: string): boolean {
  const match = form.exec(token)
  return match !== null && checksum(match[1]!) === match[2]
}

/** What may be shown of a token after its creation: its kind and five characters. */
export const tokenPrefix = (token: string): string => token.slice(0, token.lastIndexOf('_') + 6)

const checksum = (random: string): string => toBase62(crc32(random), 6)
