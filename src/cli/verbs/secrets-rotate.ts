import type { Verb } from '../cli.ts'
import { quietLog } from '../log.ts'
import { printJson } from '../print/answer.ts'
import { printRecord } from '../print/record.ts'

/** `molar secrets rotate`: after MOLAR_SECRET was changed, everything that the one before wraps is wrapped by the new one. */
export const verb: Verb = {
  define(parser) {
    parser
      .option('--new-key', 'Make a new key even where MOLAR_SECRET is the same as before')
      .option('--json', 'The answer alone, as one JSON document')
  },
  async run({ options }, cli) {
    const config = cli.config()
    const [{ openServices, installationSecrets }, { newestKey, rotateSecrets }, { resealPeople }] = await Promise.all([
      import('../../server/services.ts'),
      import('../../core/secrets/index.ts'),
      import('../../auth/reseal.ts'),
    ])
    const services = await openServices(config, { log: quietLog(config) })
    try {
      const secrets = await installationSecrets(config)
      const { system } = services.db
      const keys = await rotateSecrets(system, services.keyring, secrets, { fresh: options.newKey === true })
      const rotated = { ...keys, ...(await resealPeople(system, services.keyring, await newestKey(system))) }
      if (cli.json) printJson(rotated, cli.terminal)
      else printRecord({ ...rotated, next: next(rotated.org_keys_left) }, cli.terminal.out)
      return rotated.org_keys_left === 0 ? 0 : 1
    } finally {
      await services.close()
    }
  },
}

const next = (left: number): string =>
  left === 0
    ? 'Nothing is left under an older key. MOLAR_SECRET_PREVIOUS can go.'
    : 'Run it again: another process held what is left.'
