import { inputRequired, inputResponse, type ServerContext } from '@modelcontextprotocol/server'
import type { Command } from '../../core/command.ts'
import { parseInput } from '../../core/stages/parse.ts'
import { refused } from '../../tools/index.ts'

const key = 'confirm'
/** Longest part of the arguments that a person is shown, in characters. */
const mostShown = 500

/**
 * Asks a person before something is removed for good: the SDK turns the question into `input_required` (2026-07-28) or
 * an elicitation (2025). The result is what to answer instead of doing it; undefined says go on. A client that can't
 * ask is served as if it had.
 */
export function confirmation(command: Command, input: unknown, context: ServerContext, capabilities: unknown) {
  if (command.effect !== 'destroy' || !canAsk(capabilities) || !fits(command, input)) return undefined
  const answer = inputResponse(context.mcpReq.inputResponses, key)
  if (answer.kind === 'elicit') {
    return answer.action === 'accept'
      ? undefined
      : refused(`${command.title}: the person said no. Nothing was changed; do not try again unasked.`, 'cancelled')
  }
  const message = `${command.title}? ${JSON.stringify(input ?? {}).slice(0, mostShown)} This cannot be undone.`
  const requestedSchema = { type: 'object' as const, properties: {} }
  return inputRequired({ inputRequests: { [key]: inputRequired.elicit({ message, requestedSchema }) } })
}

/** What the client declared for this request; `{}` alone means forms, as it did before there was another mode. */
export function canAsk(capabilities: unknown): boolean {
  const { elicitation } = (capabilities ?? {}) as { elicitation?: { form?: object; url?: object } }
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
}

/** Nobody is asked about a call that is refused anyway. */
function fits(command: Command, input: unknown): boolean {
  try {
    parseInput(command, input)
    return true
  } catch {
    return false
  }
}
