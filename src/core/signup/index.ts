import { startSignup } from './start.ts'
import { signupStatus } from './status.ts'
import { verifySignup } from './verify.ts'

export const signupCommands = [startSignup, verifySignup, signupStatus]
