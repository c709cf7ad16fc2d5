import { CommandError } from '../../core/errors.ts'

/** A counter of free places with a fair queue before it. `take` resolves to the function that gives the place back, once. */
export interface Slots {
  take(signal?: AbortSignal): Promise<() => void>
  taken(): number
  waiting(): number
}

/** `size` places; who comes when all are taken waits in order, until `signal` aborts (then `cancelled`). */
export function slotsOf(size: number): Slots {
  let taken = 0
  const queue: (() => void)[] = []

  function free(): void {
    const next = queue.shift()
    if (next) next()
    else taken--
  }

  function once(): () => void {
    let given = false
    return () => {
      if (given) return
      given = true
      free()
    }
  }

  return {
    async take(signal) {
      if (signal?.aborted) throw cancelled()
      if (taken < size) {
        taken++
        return once()
      }
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          queue.splice(queue.indexOf(enter), 1)
          reject(cancelled())
        }
        const enter = () => {
          signal?.removeEventListener('abort', abort)
          resolve()
        }
        queue.push(enter)
        signal?.addEventListener('abort', abort, { once: true })
      })
      return once()
    },
    taken: () => taken,
    waiting: () => queue.length,
  }
}

function cancelled(): CommandError {
  return new CommandError('cancelled', 'The wait for a free browser was given up.')
}
