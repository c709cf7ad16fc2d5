import { isIP } from 'node:net'
import { addressList, neverPublic, notPublic } from './addresses.ts'
import { OutsideError } from './error.ts'

/** What this installation may reach of the addresses that users give it. */
export interface EgressRules {
  /** public: public addresses alone. private: this machine and its network too, but for link-local and metadata addresses. */
  reach: 'public' | 'private'
  /** What is reached all the same: host names, `*.name`, addresses, ranges in CIDR notation. */
  allow: readonly string[]
}

export interface Judge {
  /** Throws where this URL may not be asked whatever its name leads to: its scheme, its userinfo, its port, a literal address. */
  url(url: URL): void
  /** Throws where a connection to this host may not use this address. */
  address(host: string, address: string): void
}

export function makeJudge({ reach, allow }: EgressRules): Judge {
  const names = allow.filter(isName).map((name) => name.toLowerCase())
  const isAllowed = addressList(allow.filter((entry) => !isName(entry)))
  const isNamed = (host: string) =>
    names.some((name) => (name.startsWith('*.') ? host.endsWith(name.slice(1)) : host === name))
  const judge: Judge = {
    address(given, address) {
      const host = bareHost(given)
      const kind = notPublic(address)
      if (kind === undefined || isNamed(host) || isAllowed(address)) return
      if (reach === 'private' && !neverPublic.has(kind)) return
      // Where a name leads inside a network is nothing to tell whoever asks.
      const what = isIP(host) === 0 ? `${host} leads to ${kind}` : `${host} is ${kind}`
      const setting = `MOLAR_EGRESS_ALLOW=${host}`
      const mend = neverPublic.has(kind) ? setting : `${setting}, or MOLAR_EGRESS=private for all of them`
      throw new OutsideError('refused', `${what}, and this installation does not reach such. What allows it: ${mend}.`)
    },
    url(url) {
      if (!['http:', 'https:'].includes(url.protocol))
        throw new OutsideError('refused', `${url.protocol} addresses are not asked; only http and https are.`)
      if (url.username !== '' || url.password !== '')
        throw new OutsideError('refused', 'A URL with a name or password in it is not asked.')
      const host = bareHost(url.hostname)
      const port = portOf(url)
      if (reach === 'public' && port < 1024 && port !== 80 && port !== 443 && !isNamed(host) && !isAllowed(host))
        throw new OutsideError(
          'refused',
          `Port ${port} is none of the web’s: 80, 443 or 1024 and above. What allows it: MOLAR_EGRESS_ALLOW=${host}.`,
        )
      if (isIP(host) !== 0) judge.address(host, host)
    },
  }
  return judge
}

/** Why an entry of the allowlist cannot be one; undefined where it can. */
export function allowEntryProblem(entry: string): string | undefined {
  if (isName(entry)) return undefined
  try {
    addressList([entry])
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const isName = (entry: string): boolean =>
  isIP(entry) === 0 && /^(?:\*\.)?(?!-)[a-z\d_-]+(?:\.[a-z\d_-]+)*$/i.test(entry) && !/^[\d.]+$/.test(entry)

/** `[::1]` → `::1`, `Localhost.` → `localhost`. */
export const bareHost = (host: string): string =>
  host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()

export const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))
