import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
} from '@modelcontextprotocol/server'
import { type Answer, call } from '../core/call.ts'
import type { Command } from '../core/command.ts'
import type { CallContext } from '../core/context.ts'
import { CommandError } from '../core/errors.ts'
import { mimeTypeOf, type ResourceCatalogue } from './catalogue.ts'

/** How this door says what went wrong, and writes down what must not be said. */
export interface ReadingRules {
  /** An error as callers may read it; logs what is not theirs. */
  publicError(error: unknown): { error: string; message: string; details?: Record<string, unknown> }
  /** What stands before Markdown that may quote pages, for this command. */
  preface(command: Command): string
}

/** Reads a resource through its command. What is absent, and what the caller may not see, is the same error. */
export async function readResource(
  catalogue: ResourceCatalogue,
  uri: string,
  context: CallContext,
  rules: ReadingRules,
): Promise<ReadResourceResult> {
  const found = catalogue.find(uri)
  if (!found)
    throw new ResourceNotFoundError(
      uri,
      `There is no resource ${uri.slice(0, 200)}. resources/templates/list shows what there is.`,
    )
  try {
    const answer = await call(found.command, found.input, context)
    return { contents: [{ uri, mimeType: mimeTypeOf(found.command), text: textOf(found.command, answer, rules) }] }
  } catch (error) {
    throw protocolError(error, uri, rules)
  }
}

function textOf(command: Command, answer: Answer, rules: ReadingRules): string {
  if (command.render && mimeTypeOf(command) === 'text/markdown') return rules.preface(command) + command.render(answer)
  return JSON.stringify(answer)
}

function protocolError(error: unknown, uri: string, rules: ReadingRules): ProtocolError {
  if (error instanceof CommandError && error.code === 'not_found') return new ResourceNotFoundError(uri, error.message)
  const told = rules.publicError(error)
  const code = told.error === 'internal' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams
  return new ProtocolError(code, told.message, told)
}
