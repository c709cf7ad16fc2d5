import { fail } from '../../core/errors.ts'
import type { Verb } from '../cli.ts'
import { quietLog } from '../log.ts'
import { printJson } from '../print/answer.ts'
import { printRecord } from '../print/record.ts'

/** `molar people sign-out <address>|--all`: for whoever runs the installation, at its database. */
export const verb: Verb = {
  define(parser) {
    parser
      .argument('[email]', 'Whose sessions and apps end')
      .option('--all', 'Those of everybody')
      .option(
        '--lost-factor',
        'Also take away the second factor of that person, once you are sure that it is they who ask',
      )
      .option('--json', 'The answer alone, as one JSON document')
  },
  async run({ args: [email], options }, cli) {
    const [all, lostFactor] = [options.all === true, options.lostFactor === true]
    if (all === (email !== undefined)) fail('bad_request', 'Name a person by their e-mail address, or say --all.')
    if (all && lostFactor) fail('bad_request', '--lost-factor is for one person, by their address.')
    const [{ openServices }, { signOutPeople }] = await Promise.all([
      import('../../server/services.ts'),
      import('../../auth/operator.ts'),
    ])
    const config = cli.config()
    const services = await openServices(config, { log: quietLog(config) })
    try {
      const done = { ...(await signOutPeople(services, { email, lostFactor })) }
      if (cli.json) printJson(done, cli.terminal)
      else printRecord(done, cli.terminal.out)
      return 0
    } finally {
      await services.close()
    }
  },
}
