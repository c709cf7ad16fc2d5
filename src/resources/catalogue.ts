import type { ListResourcesResult, ListResourceTemplatesResult } from '@modelcontextprotocol/server'
import type { Command } from '../core/command.ts'
import { readText } from '../core/read-text.ts'
import { inputSchema } from '../core/schema.ts'
import { type UriTemplate, uriTemplate } from './template.ts'

export interface ResourceCatalogue {
  /** The answer to resources/list: the resources whose URI is fixed. */
  list: ListResourcesResult
  /** The answer to resources/templates/list: those with variables. */
  templates: ListResourceTemplatesResult
  /** The command that reads a URI, and its input. */
  find(uri: string): { command: Command; input: Record<string, unknown> } | undefined
  /** The command of a template as it stands in the list. */
  findTemplate(template: string): Command | undefined
  /** The templates whose resources tell of changes. */
  watchable: string[]
}

interface Entry {
  command: Command
  resource: NonNullable<Command['resource']>
  template: UriTemplate
}

/** Every command with a resource, ready to be listed and read. */
export function resourceCatalogue(commands: readonly Command[]): ResourceCatalogue {
  const entries = commands.flatMap((command): Entry[] =>
    command.resource ? [{ command, resource: command.resource, template: uriTemplate(command.resource.uri) }] : [],
  )
  return {
    list: {
      resources: entries.flatMap((entry) =>
        entry.template.fixed ? [{ uri: entry.template.fixed, ...facts(entry) }] : [],
      ),
    },
    templates: {
      resourceTemplates: entries.flatMap((entry) =>
        entry.template.fixed === entry.template.template
          ? []
          : [{ uriTemplate: entry.template.template, ...facts(entry) }],
      ),
    },
    find(uri) {
      for (const { command, resource, template } of entries) {
        const variables = template.match(uri)
        if (variables) return { command, input: readInput(command, resource, variables) }
      }
      return undefined
    },
    findTemplate: (wanted) => entries.find(({ template }) => template.template === wanted)?.command,
    watchable: entries.flatMap(({ resource, template }) => (resource.changes ? [template.template] : [])),
  }
}

/** Markdown only where the resource says so; what `find` and `read` give then follows it. */
export const mimeTypeOf = ({ resource, render }: Command): string =>
  resource?.mimeType ?? (render ? 'text/markdown' : 'application/json')

const facts = ({ command, resource }: Entry) => ({
  name: resource.name,
  title: command.title,
  description: command.summary,
  mimeType: mimeTypeOf(command),
})

function readInput(
  command: Command,
  resource: Entry['resource'],
  variables: Record<string, string>,
): Record<string, unknown> {
  const input = resource.map ? resource.map(variables) : readText(inputSchema(command), variables)
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}
