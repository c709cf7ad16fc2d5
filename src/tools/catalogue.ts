import type { ListToolsResult } from '@modelcontextprotocol/server'
import { closest, distance } from 'fastest-levenshtein'
import type { Command } from '../core/command.ts'
import { defineTool } from './definition.ts'
import { executeTool, reachTools } from './reach.ts'
import { type Selection, selectCommands } from './toolsets.ts'

/** All tools of a registry. Everything that can be built before a request is built once. */
export interface ToolCatalogue {
  /** The tools that a client sees and may call. bad_request for an unknown toolset. */
  select(selection: Selection): ToolSet
}

export interface ToolSet {
  /** The answer to tools/list. */
  list: ListToolsResult
  /** The command behind an active tool. */
  find(tool: string): Command | undefined
  /** Why a tool can't be called here, and what to do about it. */
  explainMissing(tool: string): string
  /** All commands that this connection may reach through molar_search_tools and molar_execute_tool; none where all are listed. */
  reach: readonly Command[]
}

/** More selections than this are not kept: the names come from callers. */
const maxKept = 200

export function toolCatalogue(commands: readonly Command[]): ToolCatalogue {
  const all = new Map(commands.map((command) => [command.tool, command]))
  const definitions = new Map<Command, ReturnType<typeof defineTool>>()
  const define = (command: Command) => {
    const known = definitions.get(command) ?? defineTool(command)
    definitions.set(command, known)
    return known
  }
  const kept = new Map<string, ToolSet>()
  return {
    select(selection) {
      const key = `${[...new Set(selection.toolsets)].sort().join(',')}|${selection.readOnly === true}`
      const known = kept.get(key)
      if (known) return known
      const active = selectCommands(commands, selection)
      const reachable = selection.readOnly ? commands.filter(({ effect }) => effect === 'read') : commands
      const reach = reachable.length > active.length ? reachable : []
      const set = makeSet(all, active, reach, selection, define)
      if (kept.size < maxKept) kept.set(key, set)
      return set
    },
  }
}

function makeSet(
  all: Map<string, Command>,
  active: readonly Command[],
  reach: readonly Command[],
  selection: Selection,
  define: (command: Command) => ReturnType<typeof defineTool>,
): ToolSet {
  const byName = new Map(active.map((command) => [command.tool, command]))
  let list: ListToolsResult | undefined
  return {
    get list() {
      list ??= { tools: [...active.map(define), ...(reach.length > 0 ? reachTools(selection.readOnly === true) : [])] }
      return list
    },
    reach,
    find: (tool) => byName.get(tool),
    explainMissing(tool) {
      const inactive = all.get(tool)
      if (inactive) return explainInactive(inactive, selection)
      const near = closest(tool.slice(0, 100), [...byName.keys(), ...reach.map((command) => command.tool)])
      const hint =
        near && distance(tool.slice(0, 100), near) <= Math.ceil(near.length / 2) ? ` Did you mean ${near}?` : ''
      return `There is no tool ${tool.slice(0, 100)}.${hint} tools/list shows all.`
    },
  }
}

function explainInactive(command: Command, selection: Selection): string {
  if (selection.readOnly && command.effect !== 'read') {
    return `${command.tool} changes things, and this connection is read-only. Connect without read_only=true to use it.`
  }
  const name = command.toolset.name
  return `${command.tool} belongs to the toolset ${name}, which is not active. Call it through ${executeTool}, or connect with ?toolsets=default,${name} or the header X-MCP-Toolsets (--toolsets on stdio).`
}
