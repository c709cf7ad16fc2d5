import { listAudit } from './list.ts'

export const auditCommands = [listAudit]
