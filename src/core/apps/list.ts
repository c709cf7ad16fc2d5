import { z } from 'zod'
import { defineCommand } from '../command.ts'
import { page, pageInput } from '../fields.ts'
import { inPerson } from '../principal.ts'
import { app } from './app.ts'
import { listApps as selectApps } from './store.ts'

export const listApps = defineCommand({
  name: 'apps.list',
  tool: 'molar_list_apps',
  toolset: { default: false },
  title: 'List connected apps',
  summary: 'The apps that may act for you through OAuth, in every org of yours, newest first.',
  input: z.object(pageInput),
  output: page(app),
  rest: 'GET /v1/apps',
  access: { scope: 'mcp:read', tenant: false, credentials: inPerson },
  effect: 'read',
  errors: ['forbidden'],
  examples: [{ title: 'nothing is connected yet', input: {}, output: { items: [] } }],
  async handler({ limit, cursor }, { db, pages }) {
    const rows = await selectApps(db, pages.after(cursor), limit + 1)
    return pages.of(rows, limit, (row) => ({ created_at: row.created_at, id: row.id }))
  },
})
