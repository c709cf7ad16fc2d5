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
  const watched = new Map<string, { credential: Credential | undefined; ends: Set<() => void> }>()
  let timer: NodeJS.Timeout | undefined
  let asking = false

  const ask = async () => {
    if (asking) return
    asking = true
    try {
      const { authenticate } = await services()
      await Promise.all(
        [...watched].map(async ([name, { credential, ends }]) => {
          // Of a session it is asked whether there is one; which org is meant is asked with every change.
          const wanted = credential?.kind === 'session' ? { tenant: false as const } : {}
          const ended = await authenticate(credential, wanted).then(() => false, isEnd)
          if (ended && watched.delete(name)) for (const end of ends) end()
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
      const name = credential ? `${credential.kind} ${credential.token}` : ''
      const mine = watched.get(name) ?? { credential, ends: new Set() }
      const end = () => onEnd() // the same callback may wait twice
      mine.ends.add(end)
      watched.set(name, mine)
      timer ??= setInterval(ask, every).unref()
      return () => {
        mine.ends.delete(end)
        if (mine.ends.size === 0 && watched.get(name) === mine) watched.delete(name)
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

/** Whether the credential is at its end. A database that is away says nothing about it. */
export const isEnd = (error: unknown) => error instanceof CommandError && error.code === 'unauthorized'
