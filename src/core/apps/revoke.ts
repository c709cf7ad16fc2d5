import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { fail } from '../errors.ts'
import { id } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { app } from './app.ts'
import { deleteApp } from './store.ts'

export const revokeApp = defineCommand({
  name: 'apps.revoke',
  tool: 'molar_revoke_app',
  toolset: { default: false },
  title: 'Disconnect an app',
  summary: 'End what an app may do for you. Its next request fails, and it must ask you again.',
  input: z.object({ id }),
  output: app,
  rest: 'DELETE /v1/apps/{id}',
  access: { scope: 'mcp:write', tenant: false, credentials: inPerson },
  effect: 'destroy',
  errors: ['not_found', 'forbidden'],
  target: (input) => input.id,
  examples: [
    {
      title: 'an app that is not connected',
      input: { id: '019301c0-cafe-7000-bea7-00000000dead' },
      error: 'not_found',
    },
  ],
  async handler({ id }, { db }) {
    return (
      (await deleteApp(db, id)) ??
      fail('not_found', `No app ${id} is connected to your account. molar_list_apps shows those that are.`)
    )
  },
})
