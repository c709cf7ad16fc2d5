import { accountCommands } from './account/index.ts'
import { appCommands } from './apps/index.ts'
import { auditCommands } from './audit/index.ts'
import { billingCommands } from './billing/index.ts'
import type { Command } from './command.ts'
import { identityCommands } from './identity/index.ts'
import { invitationCommands } from './invitations/index.ts'
import { keyCommands } from './keys/index.ts'
import { memberCommands } from './members/index.ts'
import { orgCommands } from './orgs/index.ts'
import { pageCommands } from './pages/index.ts'
import { runCommands } from './runs/index.ts'
import { scenarioCommands } from './scenarios/index.ts'
import { secretCommands } from './secrets/index.ts'
import { sessionCommands } from './sessions/index.ts'
import { signupCommands } from './signup/index.ts'
import { termsCommands } from './terms/index.ts'
import { tokenCommands } from './tokens/index.ts'
import { traceCommands } from './traces/index.ts'

/** All that Molar does. Order is the order in which doors show it. */
export const commands: readonly Command[] = [
  ...scenarioCommands,
  ...pageCommands,
  ...runCommands,
  ...traceCommands,
  ...identityCommands,
  ...keyCommands,
  ...secretCommands,
  ...tokenCommands,
  ...appCommands,
  ...orgCommands,
  ...memberCommands,
  ...invitationCommands,
  ...termsCommands,
  ...signupCommands,
  ...billingCommands,
  ...auditCommands,
  ...accountCommands,
  ...sessionCommands,
]
