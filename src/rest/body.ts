import type { FastifyInstance } from 'fastify'
import { CommandError } from '../core/errors.ts'

/** Deeper than anything Molar takes, and far from where a recursive reader would run out of stack. */
const maxDepth = 64

/**
 * JSON is the only body that command routes read; anything else is 415. An empty body is no body, whatever its type
 * says, and `__proto__` or `constructor.prototype` as a key is refused. Multipart is multipart.ts's.
 */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser(
    /^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i,
    { parseAs: 'string' },
    (request, text, done) => {
      if (text.length === 0) return done(null, undefined)
      parse(request, text as string, (error, value) => {
        if (error) return done(new CommandError('malformed_json', `The body is not JSON: ${reason(error)}.`))
        if (isDeeper(value, maxDepth))
          return done(new CommandError('malformed_json', `The body is nested deeper than ${maxDepth} levels.`))
        done(null, value)
      })
    },
  )
}

/** The parser's words without the excerpt of the body that V8 puts behind them: it may hold a secret. */
function reason(error: Error): string {
  const place = /at position \d+(?: \(line \d+ column \d+\))?/.exec(error.message)?.[0]
  if (/prototype/i.test(error.message)) return 'it holds a forbidden key (__proto__ or constructor.prototype)'
  return place ? `a syntax error ${place}` : 'it ends too soon or has a syntax error'
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  for (const child of Object.values(value)) if (isDeeper(child, levels - 1)) return true
  return false
}
