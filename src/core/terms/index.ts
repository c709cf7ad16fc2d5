import { acceptTerms } from './accept.ts'
import { termsStatus } from './status.ts'

export { readAcceptance } from './acceptance.ts'
export const termsCommands = [termsStatus, acceptTerms]
