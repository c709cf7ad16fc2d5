import type { Command } from '../core/command.ts'
import { fail } from '../core/errors.ts'

/** Which tools a client wants to see. */
export interface Selection {
  /** Toolset names, `default` or `all`; the default set when absent or empty. */
  toolsets?: readonly string[] | undefined
  /** Only tools that change nothing. */
  readOnly?: boolean | undefined
}

/** The toolsets that exist, sorted by name. */
export const toolsetNames = (commands: readonly Command[]): string[] =>
  [...new Set(commands.map((command) => command.toolset.name))].sort()

/** Toolset names from a query, header or flag: `a, b`. */
export function readToolsets(text: string | undefined): string[] | undefined {
  const names = text?.split(',').flatMap((name) => name.trim() || [])
  return names?.length ? names : undefined
}

/** The commands whose tools are active, in the registry's order. bad_request for a toolset that does not exist. */
export function selectCommands(commands: readonly Command[], { toolsets, readOnly }: Selection): Command[] {
  const wanted = toolsets?.length ? toolsets : ['default']
  const names = toolsetNames(commands)
  const unknown = wanted.filter((name) => name !== 'all' && name !== 'default' && !names.includes(name))
  if (unknown.length > 0) {
    fail('bad_request', `There is no toolset ${unknown.join(', ')}. Toolsets: default, all, ${names.join(', ')}.`, {
      details: { unknown, toolsets: ['default', 'all', ...names] },
    })
  }
  return commands.filter((command) => {
    if (readOnly && command.effect !== 'read') return false
    return (
      wanted.includes('all') ||
      wanted.includes(command.toolset.name) ||
      (wanted.includes('default') && command.toolset.default)
    )
  })
}
