import { exportAudit } from './export.ts'
import { listAuditKeys } from './keys.ts'
import { listAudit } from './list.ts'
import { verifyAudit } from './verify.ts'

export { type AuditKey, type CheckpointStore, fileCheckpoints, makeCheckpointer } from './checkpoints.ts'
export { verifyExport } from './read-export.ts'
export const auditCommands = [listAudit, verifyAudit, exportAudit, listAuditKeys]
