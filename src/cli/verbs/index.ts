import type { Verb } from '../cli.ts'

export interface VerbEntry {
  /** One word, or two where it stands beside a noun's own verbs. */
  name: string
  /** It stands beside a command of that name, and takes over where a word follows. */
  withWord?: true
  group: 'start' | 'upkeep'
  summary: string
  /** Words that may follow, for completion. */
  words?: readonly string[]
  load(): Promise<{ verb: Verb }>
}

/** The verbs that are no commands. Each is loaded when it is called for. */
export const verbs: readonly VerbEntry[] = [
  {
    name: 'demo',
    group: 'start',
    summary: 'See it work: eight scenarios on a sample shop, in a real browser',
    load: () => import('./demo.ts'),
  },
  {
    name: 'init',
    group: 'start',
    summary: 'Set up this project, and its editors, for Molar',
    load: () => import('./init.ts'),
  },
  {
    name: 'run',
    group: 'start',
    summary: 'Run scenarios by file, directory or slug, and say what failed and why',
    load: () => import('./run.ts'),
  },
  {
    name: 'record',
    group: 'start',
    summary: 'Click through your application, and have the scenario written',
    load: () => import('./record.ts'),
  },
  {
    name: 'mcp',
    group: 'start',
    summary: 'Serve MCP on standard input and output, for an agent or an editor',
    load: () => import('./mcp.ts'),
  },
  {
    name: 'serve',
    group: 'start',
    summary: 'Serve MCP and REST over HTTP, with a worker',
    load: () => import('./serve.ts'),
  },
  {
    name: 'login',
    group: 'start',
    summary: 'Send commands to a server from now on, as you',
    load: () => import('./login.ts'),
  },
  {
    name: 'logout',
    group: 'start',
    summary: 'End that login',
    load: () => import('./logout.ts'),
  },
  {
    name: 'worker',
    group: 'upkeep',
    summary: 'Execute runs for a server elsewhere on the same database',
    load: () => import('./worker.ts'),
  },
  {
    name: 'doctor',
    group: 'upkeep',
    summary: 'Check what this machine has and how to mend what it lacks',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'db',
    group: 'upkeep',
    summary: 'The embedded database',
    words: ['status', 'stop', 'reset', 'gc'],
    load: () => import('./db.ts'),
  },
  {
    name: 'browser',
    group: 'upkeep',
    summary: 'The browser that runs use',
    words: ['install'],
    load: () => import('./browser.ts'),
  },
  {
    name: 'audit verify',
    withWord: true,
    group: 'upkeep',
    summary: 'With a file: check an export of the audit trail, offline',
    load: () => import('./audit-verify.ts'),
  },
  {
    name: 'secrets rotate',
    group: 'upkeep',
    summary: 'After MOLAR_SECRET was changed: wrap everything anew',
    load: () => import('./secrets-rotate.ts'),
  },
  {
    name: 'people sign-out',
    group: 'upkeep',
    summary: 'End somebody’s sessions and apps, or everybody’s; a lost second factor',
    load: () => import('./people-sign-out.ts'),
  },
  {
    name: 'completion',
    group: 'upkeep',
    summary: 'Completion for your shell',
    words: ['bash', 'zsh', 'fish'],
    load: () => import('./completion.ts'),
  },
]
