import { BlockList, isIP } from 'node:net'
import { plainAddress } from '../network.ts'

/**
 * Addresses that are not public, by what they are: the special-purpose registries of IANA (RFC 6890 and its updates),
 * and the metadata services of clouds, some of which have an address that looks public.
 */
const ranges = {
  'a cloud’s metadata service': [
    '169.254.169.254/32',
    '169.254.170.2/32',
    '169.254.170.23/32',
    '168.63.129.16/32',
    '100.100.100.200/32',
    '192.0.0.192/32',
    'fd00:ec2::/32',
  ],
  'a link-local address': ['169.254.0.0/16', 'fe80::/10'],
  'an address of this machine': ['127.0.0.0/8', '0.0.0.0/8', '::1/128', '::/128'],
  'an address of a private network': [
    '10.0.0.0/8',
    '172.16.0.0/12',
    '192.168.0.0/16',
    '100.64.0.0/10',
    'fc00::/7',
    'fec0::/10',
  ],
  'an address for several at once': ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8'],
  'an address of no public host': [
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '240.0.0.0/4',
    // IPv6 hands out 2000::/3 alone. Of that: Teredo, ORCHID and other protocols' own, documentation, 6to4.
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
    '3fff::/20',
    ...['0::/3', '4000::/2', '8000::/1'],
  ],
} as const

export type AddressKind = keyof typeof ranges

const lists = Object.entries(ranges).map(([kind, list]) => [kind as AddressKind, addressList(list)] as const)

/** Kinds that no setting for a whole network opens: who wants them names them one by one. */
export const neverPublic: ReadonlySet<AddressKind> = new Set(['a cloud’s metadata service', 'a link-local address'])

/** What keeps an IP address from being a public one; undefined for public ones. Any spelling that `isIP` knows. */
export function notPublic(address: string): AddressKind | undefined {
  return lists.find(([, holds]) => holds(address))?.[0]
}

/**
 * Tells whether an address is one of these or lies in a range of them (CIDR notation). Throws a RangeError on an entry
 * that is neither. A list for each family: Node's own checks IPv4 addresses against IPv6 ranges too, as ::ffff:0:0/96.
 */
export function addressList(entries: readonly string[]): (address: string) => boolean {
  const families = { 4: new BlockList(), 6: new BlockList() }
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/')
    const plain = plainAddress(address)
    const most = isIP(plain) === 6 ? 128 : 32
    if (isIP(plain) === 0 || (bits !== undefined && !(/^\d+$/.test(bits) && Number(bits) <= most)))
      throw new RangeError(`${entry} is no address and no range`)
    families[most === 128 ? 6 : 4].addSubnet(plain, Number(bits ?? most), most === 128 ? 'ipv6' : 'ipv4')
  }
  return (address) => {
    const plain = plainAddress(address)
    return isIP(plain) === 6 ? families[6].check(plain, 'ipv6') : families[4].check(plain, 'ipv4')
  }
}
