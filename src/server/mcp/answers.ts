import type { FastifyReply } from 'fastify'

/** A JSON-RPC error for a request that no server instance ever saw. */
export function refuse(
  reply: FastifyReply,
  status: number,
  code: number,
  message: string,
  id: unknown = null,
  data?: unknown,
): FastifyReply {
  const error = { code, message, ...(data !== undefined && { data }) }
  return reply.code(status).send({ jsonrpc: '2.0', error, id })
}
