import { hasPower, type Principal } from '../principal.ts'

/** Whose tokens the caller may touch: null means all of the org's; others have their own. */
export const whose = ({ role, user }: Principal): string | null => (hasPower(role, 'manage') ? null : user!.id)
