import type { Credential, Services } from '../../core/context.ts'
import { CommandError } from '../../core/errors.ts'

/** Tells streams that wait for news when the credential that opened them no longer counts. */
export interface CredentialWatch {
  /** Calls back once, within `every` milliseconds of the credential's end; answers how to stop waiting. */
  watch(credential: Credential | undefined, onEnd: () => void): () => void
  stop(): void
}

/** One question a credential and interval, however many streams it has open. */
export function credentialWatch(services: () => Promise<Services>, every = 4000): CredentialWatch {
  const watched = new Map<string, Set<() => void>>()
  let timer: NodeJS.Timeout | undefined
  let asking = false

  const ask = async () => {
    if (asking) return
    asking = true
    try {
      const { authenticate } = await services()
      await Promise.all(
        [...watched].map(async ([token, ends]) => {
          const ended = await authenticate({ kind: 'bearer', token }, {}).then(() => false, isEnd)
          if (ended && watched.delete(token)) for (const end of ends) end()
        }),
      )
    } catch {
      // The services are away: nothing is known about any credential until they are back.
    } finally {
      asking = false
    }
  }

  return {
    watch(credential, onEnd) {
      const token = credential?.token ?? ''
      const ends = watched.get(token) ?? new Set()
      const end = () => onEnd() // the same callback may wait twice
      watched.set(token, ends.add(end))
      timer ??= setInterval(ask, every).unref()
      return () => {
        ends.delete(end)
        if (ends.size === 0 && watched.get(token) === ends) watched.delete(token)
        if (watched.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    stop() {
      clearInterval(timer)
      watched.clear()
    },
  }
}

/** A database that is away says nothing about the credential. */
const isEnd = (error: unknown) => error instanceof CommandError && error.code === 'unauthorized'
