import { createOrg } from './create.ts'
import { getOrg } from './get.ts'
import { orgInstance } from './instance.ts'
import { listOrgs } from './list.ts'
import { provisionStatus } from './provision-status.ts'
import { transferOrg } from './transfer.ts'
import { updateOrg } from './update.ts'

export const orgCommands = [createOrg, listOrgs, getOrg, updateOrg, transferOrg, provisionStatus, orgInstance]
