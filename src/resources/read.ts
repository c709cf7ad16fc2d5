import {
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  ResourceNotFoundError,
  type TextResourceContents,
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
  /** The answer as text no longer than a client reads whole, then what is to be said of it (cut, quotes others). */
  write(command: Command, answer: Answer, markdown: boolean): { text: string; notices: string[] }
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
    return { contents: contentsOf(uri, found.command, answer, rules) }
  } catch (error) {
    throw protocolError(error, uri, rules)
  }
}

function contentsOf(uri: string, command: Command, answer: Answer, rules: ReadingRules): TextResourceContents[] {
  const mimeType = mimeTypeOf(command)
  const { text, notices } = rules.write(command, answer, mimeType === 'text/markdown')
  return [{ uri, mimeType, text }, ...notices.map((notice) => ({ uri, mimeType: 'text/plain', text: notice }))]
}

/** What went wrong as the protocol says it. What is absent, and what the caller may not see, is the same error. */
export function protocolError(
  error: unknown,
  uri: string | undefined,
  rules: Pick<ReadingRules, 'publicError'>,
): ProtocolError {
  if (error instanceof ProtocolError) return error
  if (error instanceof CommandError && error.code === 'not_found' && uri !== undefined)
    return new ResourceNotFoundError(uri, error.message)
  const told = rules.publicError(error)
  const code = told.error === 'internal' ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams
  return new ProtocolError(code, told.message, told)
}
