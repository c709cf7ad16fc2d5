/** Names of the contract and of older versions, and what they mean now. The longest match wins. */
export const aliases: readonly { since: string; from: string; to: string; flags?: Record<string, string> }[] = [
  { since: '2026-11', from: 'start', to: 'serve' },
  { since: '2026-11', from: 'mcp serve', to: 'mcp' },
  { since: '2026-11', from: 'whoami', to: 'identity me' },
  { since: '2026-11', from: 'me', to: 'identity me' },
  { since: '2026-11', from: 'trace', to: 'traces' },
  { since: '2026-11', from: 'scenario', to: 'scenarios' },
  { since: '2026-11', from: 'key', to: 'keys' },
  { since: '2026-11', from: 'api-keys', to: 'keys' },
  { since: '2026-11', from: 'validate', to: 'scenarios validate' },
  { since: '2026-11', from: 'compile', to: 'scenarios compile' },
  { since: '2026-11', from: 'upload', to: 'scenarios upload' },
  { since: '2026-11', from: 'list', to: 'runs list' },
  { since: '2026-11', from: 'logs', to: 'runs logs' },
  { since: '2026-11', from: 'agent signup', to: 'signup start', flags: { '--name': '--display-name' } },
  { since: '2026-11', from: 'agent signup verify', to: 'signup verify', flags: { '--code': '--verification-code' } },
  { since: '2026-11', from: 'agent signup status', to: 'signup status' },
]

/** The words with an old name at their start replaced, and the flags that had other names. */
export function resolveAlias(words: readonly string[]): string[] {
  const found = aliases
    .map(({ from, to, flags }) => ({ from: from.split(' '), to: to.split(' '), flags }))
    .filter(({ from }) => from.every((word, at) => words[at] === word))
    .sort((a, b) => b.from.length - a.from.length)[0]
  if (!found) return [...words]
  const rest = words.slice(found.from.length)
  return [...found.to, ...(found.flags ? rest.map((word) => renamed(word, found.flags!)) : rest)]
}

/** `--name` and `--name=value` alike. */
function renamed(word: string, flags: Record<string, string>): string {
  const [flag = ''] = word.split('=', 1)
  return Object.hasOwn(flags, flag) ? flags[flag] + word.slice(flag.length) : word
}
