import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { type S3Place, type S3Request, signRequest } from './sign.ts'

export type S3Answer = Dispatcher.ResponseData

export interface S3Limits {
  /** Tries in all. */
  tries: number
  /** Milliseconds until the first byte of an answer, and between two of its body. */
  headersMs: number
  idleMs: number
  /** Milliseconds until an upload must have been taken. */
  uploadMs: number
  /** The first pause between tries, in milliseconds; it doubles. */
  pauseMs: number
}

export const usualLimits: S3Limits = { tries: 5, headersMs: 15_000, idleMs: 15_000, uploadMs: 60_000, pauseMs: 150 }

/** What a store answered in place of what was asked. */
export class S3Error extends Error {
  readonly status: number
  constructor(what: string, status: number, text: string) {
    const code = /<Code>([\w.-]{1,100})<\/Code>/.exec(text)?.[1]
    super(`The blob store answered ${what} with ${status}${code ? ` ${code}` : ''}.`)
    this.name = 'S3Error'
    this.status = status
  }
}

const passing = new Set([408, 429, 500, 502, 503, 504])

/** One request, tried again with growing pauses while the store is busy or unreachable. Answers 2xx and 404; throws the rest. */
export async function send(place: S3Place, request: S3Request, limits: S3Limits): Promise<S3Answer> {
  for (let attempt = 1; ; attempt++) {
    const last = attempt >= limits.tries
    let wait = limits.pauseMs * 2 ** (attempt - 1)
    try {
      const { url, headers } = signRequest(place, request)
      const answer = await (await import('undici')).request(url, {
        method: request.method,
        headers,
        body: request.body ?? null,
        headersTimeout: limits.headersMs,
        bodyTimeout: limits.idleMs,
        ...(request.body && { signal: AbortSignal.timeout(limits.uploadMs) }),
      })
      if (answer.statusCode < 300 || answer.statusCode === 404) return answer
      const text = await answer.body.text()
      const error = new S3Error(`${request.method} ${request.key || 'the bucket'}`, answer.statusCode, text)
      if (last || !passing.has(answer.statusCode)) throw error
      wait = Math.max(wait, Math.min(Number(answer.headers['retry-after']) * 1000 || 0, 5000))
    } catch (error) {
      if (last || error instanceof S3Error) throw error
    }
    await sleep(wait * (0.5 + Math.random() / 2))
  }
}
