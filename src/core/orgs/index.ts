import { createOrg } from './create.ts'
import { deleteOrg } from './delete.ts'
import { exportOrg } from './export.ts'
import { getOrg } from './get.ts'
import { orgInstance } from './instance.ts'
import { listOrgs } from './list.ts'
import { provisionStatus } from './provision-status.ts'
import { transferOrg } from './transfer.ts'
import { updateOrg } from './update.ts'

export { exportArchive } from './archive.ts'
export { exportOrg } from './export.ts'
export { finishPurges } from './purge.ts'
export const orgCommands = [
  createOrg,
  listOrgs,
  getOrg,
  updateOrg,
  transferOrg,
  deleteOrg,
  exportOrg,
  provisionStatus,
  orgInstance,
]
