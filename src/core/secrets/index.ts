import { deleteSecret } from './delete.ts'
import { listSecrets } from './list.ts'
import { setSecret } from './set.ts'

export { type InstallationSecrets, openInstallationKeys } from './installation-keys.ts'
export { newestKey, type Rotated, rotateSecrets } from './rotate.ts'
export { missingSecrets, resolveSecrets } from './vault.ts'
export const secretCommands = [setSecret, listSecrets, deleteSecret]
