import { isIP } from 'node:net'

/** Without its zone; and the IPv4 address that an IPv4-mapped or NAT64 one leads to, since that is where it goes. */
export function plainAddress(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  if (isIP(bare) !== 6) return bare
  const written = new URL(`http://[${bare}]`).hostname.slice(1, -1) // the shortest form, in hexadecimal
  const embedded = /^(?:::ffff|64:ff9b:):(?:([\da-f]{1,4}):)?([\da-f]{1,4})$/.exec(written)
  if (!embedded) return written
  const [high, low] = [Number.parseInt(embedded[1] ?? '0', 16), Number.parseInt(embedded[2]!, 16)]
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/**
 * What a limit by address counts: an IPv4 address; of IPv6 the network of 64 bits, all of whose addresses one machine may
 * have (RFC 6177). What is no address stays what it is.
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address)
  if (isIP(plain) !== 6) return plain
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter(Boolean))
  const zeros = Array<string>(8 - head.length - tail.length).fill('0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}
