import { me } from './me.ts'

export const identityCommands = [me]
