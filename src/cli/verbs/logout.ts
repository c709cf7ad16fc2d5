import { CommandError } from '../../core/errors.ts'
import type { Verb } from '../cli.ts'
import { readLogin, writeLogin } from '../login/kept.ts'
import { revoke } from '../login/server.ts'
import { stopSignal } from '../stop.ts'

/** `molar logout`: ends the login on the server, and forgets it here whether or not that could be told. */
export const verb: Verb = {
  define() {},
  async run(_given, cli) {
    const { err } = cli.terminal
    const { loginFile } = cli.config()
    const login = await readLogin(loginFile)
    if (!login) {
      err.line('You are not logged in.')
      return 0
    }
    await writeLogin(loginFile, undefined)
    try {
      await revoke(login, stopSignal())
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      err.line(
        `Forgotten here, but ${login.api_url} could not be told: ${error.message} End it there, under Sessions and apps.`,
      )
      return 0
    }
    err.line(`Logged out of ${login.api_url}.`)
    return 0
  },
}
