import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/** Keys for one purpose each, derived from the one server secret, which never leaves this closure. */
export interface Keyring {
  /** Signs list cursors. */
  cursors: Buffer
  /** Signs URLs that stand in for a credential. */
  links: Buffer
  /** The OAuth server's own key. */
  oauth: Buffer
  /** HMAC-SHA-256 of a credential: what the database keeps of it. */
  fingerprint(token: string): Buffer
  /** AES-256-GCM under the server's key; `about` (org|name|version) is authenticated with it. */
  seal(plaintext: string, about: string): Buffer
  open(sealed: Buffer, about: string): string
}

export function makeKeyring(secret: string): Keyring {
  const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, 'molar', purpose, 32))
  const pepper = derive('credentials')
  const sealing = derive('sealing')
  return {
    cursors: derive('cursors'),
    links: derive('links'),
    oauth: derive('oauth'),
    fingerprint: (token) => createHmac('sha256', pepper).update(token).digest(),
    seal: (plaintext, about) => encrypt(sealing, plaintext, about),
    open: (sealed, about) => decrypt(sealing, sealed, about),
  }
}

/** nonce (12) + tag (16) + ciphertext. The tag's length is fixed: Node would accept one of 4 bytes. */
export function encrypt(key: Buffer, plaintext: string, about: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 }).setAAD(Buffer.from(about))
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), body])
}

export function decrypt(key: Buffer, sealed: Buffer, about: string): string {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12), { authTagLength: 16 })
  decipher.setAAD(Buffer.from(about)).setAuthTag(sealed.subarray(12, 28))
  return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8')
}
