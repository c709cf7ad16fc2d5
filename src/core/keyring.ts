import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'

/** A key from which all others are derived. A newer one takes over what the older ones did (see installation-keys.ts). */
export interface Generation {
  /** 1 to 255; it stands before everything that was sealed under it. */
  id: number
  root: Buffer
  /** When it begins to seal and sign, in milliseconds since 1970: by then every process knows it. */
  activeAt: number
}

/** Keys of one purpose, newest first: the first signs, and what any of them signed is good. */
export type SigningKeys = () => [Buffer, ...Buffer[]]

/** Keys for one purpose each. None of them leaves this closure but to sign. */
export interface Keyring {
  /** Signs list cursors. */
  cursors: SigningKeys
  /** Signs URLs that stand in for a credential. */
  links: SigningKeys
  /** The OAuth server's own. */
  oauth: SigningKeys
  /** Seeds of the keys that sign checkpoints of audit chains, newest first. What was signed stays signed: none runs out. */
  auditKeys(): [AuditSeed, ...AuditSeed[]]
  /** Signs links that do something, once. */
  oneShot: SigningKeys
  /**
   * HMAC-SHA-256 of a credential: what the database keeps of it. Always under the first generation: credentials have 256
   * random bits, so knowing this key helps nobody to guess one, and a new one would log everybody out.
   */
  fingerprint(token: string): Buffer
  /** AES-256-GCM under the newest key; `about` (org|name|version) is authenticated with it. The first byte names the key. */
  seal(plaintext: string, about: string): Buffer
  /** Throws UnknownGeneration where the key is newer than what this process has read. */
  open(sealed: Buffer, about: string): string
  /** Seals under one generation, even one that does not seal by itself yet: for what is opened by who can wait for `refresh`. */
  sealUnder(generation: number, plaintext: string, about: string): Buffer
  /** Reads which generations there are. */
  refresh(): Promise<void>
}

export interface AuditSeed {
  id: number
  key: Buffer
}

export class UnknownGeneration extends Error {}

/** Opens what may be sealed under a key that is newer than what this process has read. */
export async function unseal(keyring: Keyring, sealed: Buffer, about: string): Promise<string> {
  try {
    return keyring.open(sealed, about)
  } catch (error) {
    if (!(error instanceof UnknownGeneration)) throw error
    await keyring.refresh()
    return keyring.open(sealed, about)
  }
}

/** How long a key that was replaced still proves what it signed: links live for an hour, and lists are read in one go. */
const graceMs = 24 * 3_600_000

/** The first generation, made of the secret that an installation begins with. */
export const firstRoot = (secret: string): Buffer => derive(secret, 'root')

/** Keys of an installation that never had another secret. */
export const makeKeyring = (secret: string): Keyring =>
  keyringOf(() => [{ id: 1, root: firstRoot(secret), activeAt: 0 }])

/** `generations` is asked each time, since another process may have made a new one; by rising id. */
export function keyringOf(generations: () => readonly Generation[], refresh = async () => {}): Keyring {
  const derived = new Map<string, Buffer>()
  const keyOf = ({ id, root }: Generation, purpose: string): Buffer => {
    const name = `${id} ${purpose}`
    const key = derived.get(name) ?? derive(root, purpose)
    derived.set(name, key)
    return key
  }
  // Asked at every request: of a Buffer Node first finds out that it is no key, by an exception, which takes 30 µs.
  const credentialKeys = new Map<number, KeyObject>()
  const credentials = (first: Generation): KeyObject => {
    const key = credentialKeys.get(first.id) ?? createSecretKey(keyOf(first, 'credentials'))
    credentialKeys.set(first.id, key)
    return key
  }
  const active = (): [Generation, ...Generation[]] => {
    const [first, ...others] = generations().filter(({ id, activeAt }) => id === 1 || activeAt <= Date.now())
    return [...others.reverse(), first!] as unknown as [Generation, ...Generation[]]
  }
  const signing = (purpose: string): SigningKeys => {
    return () => {
      const [newest, ...older] = active()
      const good = older.filter((_one, at) => [newest, ...older][at]!.activeAt > Date.now() - graceMs)
      return [keyOf(newest, purpose), ...good.map((one) => keyOf(one, purpose))]
    }
  }
  const known = (wanted: number | undefined): Generation => {
    const found = generations().find(({ id }) => id === wanted)
    if (!found) throw new UnknownGeneration(`Sealed under key ${wanted}, which is not known here`)
    return found
  }
  const sealUnder = (id: number, plaintext: string, about: string): Buffer =>
    Buffer.concat([Buffer.of(id), encrypt(keyOf(known(id), 'sealing'), plaintext, about)])
  return {
    cursors: signing('cursors'),
    links: signing('links'),
    oauth: signing('oauth'),
    auditKeys: () => active().map((one) => ({ id: one.id, key: keyOf(one, 'audit') })) as [AuditSeed, ...AuditSeed[]],
    oneShot: signing('one-shot links'),
    fingerprint: (token) => createHmac('sha256', credentials(generations()[0]!)).update(token).digest(),
    seal: (plaintext, about) => sealUnder(active()[0].id, plaintext, about),
    sealUnder,
    open: (sealed, about) => decrypt(keyOf(known(sealed[0]), 'sealing'), sealed.subarray(1), about),
    refresh,
  }
}

function derive(from: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', from, 'molar', purpose, 32))
}

/** What wraps the roots: derived from MOLAR_SECRET, which itself encrypts nothing. */
export const wrappingKey = (secret: string): Buffer => derive(secret, 'wrapping')
/** Tells one MOLAR_SECRET from another without telling anything about it. */
export const secretId = (secret: string): string => derive(secret, 'name').toString('hex').slice(0, 16)

/** nonce (12) + tag (16) + ciphertext. The tag's length is fixed: Node would accept one of 4 bytes. */
export function encrypt(key: Buffer, plaintext: string | Buffer, about: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(Buffer.from(about))
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

export const decrypt = (key: Buffer, sealed: Buffer, about: string): string =>
  decryptBytes(key, sealed, about).toString('utf8')

export function decryptBytes(key: Buffer, sealed: Buffer, about: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(12, 28))
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()])
}
