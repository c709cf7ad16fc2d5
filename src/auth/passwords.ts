import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

// OWASP ASVS 5.0, 6.2: length is what counts, no rules about kinds of characters, and no password that many others have.

export const shortest = 12
export const longest = 256

/** scrypt's parameters: memory and time of one guess. */
export interface PasswordCost {
  N: number
  r: number
  p: number
}

const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  length: number,
  options: PasswordCost & { maxmem: number },
) => Promise<Buffer>

/** OWASP's scrypt with 32 MiB: as strong as one with 128, and many at once do not take the machine's memory. */
export const passwordCost: PasswordCost = { N: 2 ** 15, r: 8, p: 3 }
const maxmem = 64 << 20

/** `scrypt$N$r$p$salt$hash`; Unicode is normalised, so that a password is the same on every keyboard. */
export async function hashPassword(password: string, cost = passwordCost): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password.normalize('NFKC'), salt, 32, { ...cost, maxmem })
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')].join('$')
}

export async function verifyPassword({ hash, password }: { hash: string; password: string }): Promise<boolean> {
  const [kind, N, r, p, salt = '', expected = ''] = hash.split('$')
  if (kind !== 'scrypt') return false
  const options = { N: Number(N), r: Number(r), p: Number(p), maxmem }
  const found = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), 32, options)
  return timingSafeEqual(found, Buffer.from(expected, 'base64url'))
}

/** What is wrong with a new password, in words; undefined where nothing is. */
export async function weakness(password: string, about: readonly string[] = []): Promise<string | undefined> {
  if (password.length < shortest) return `Use at least ${shortest} characters. A few words are easy to remember.`
  if (password.length > longest) return `Use at most ${longest} characters.`
  const common = 'Many people use this password or one like it, so it is guessed first. Use another one.'
  const plain = password.normalize('NFKC').toLowerCase()
  const bare = plain.replaceAll(/^[^a-z]+|[^a-z]+$/g, '')
  if (new Set(plain).size < 5 || /^(.{1,8}?)\1+.?$/.test(plain)) return common
  const known = await commonPasswords()
  if ([plain, bare, plainly(plain), plainly(bare)].some((one) => isCommon(one, known))) return common
  if (['molar', ...about].some((word) => word !== '' && bare === word.toLowerCase()))
    return 'This is your own name or address, or that of this product, so it is guessed first. Use another one.'
  return undefined
}

/** As it would be written without digits and signs in the place of letters. */
const plainly = (text: string): string =>
  text.replaceAll(
    /[@4013$57!]/g,
    (sign) => ({ '@': 'a', 4: 'a', 0: 'o', 1: 'i', 3: 'e', $: 's', 5: 's', 7: 't', '!': 'i' })[sign]!,
  )

/** One of the list, or two of it side by side: few of the list are long, and who guesses joins two. */
function isCommon(text: string, known: ReadonlySet<string>): boolean {
  if (known.has(text)) return true
  for (let at = 4; at <= text.length - 4; at++)
    if (known.has(text.slice(0, at)) && known.has(text.slice(at).replace(/^[ ._-]/, ''))) return true
  return false
}

let list: Promise<Set<string>> | undefined

/** Some 49,000 passwords; read when the first one is chosen. */
function commonPasswords(): Promise<Set<string>> {
  list ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']))
  return list
}
