import { outlinePage } from './outline.ts'

export { type OutlineJob, outlineQueue, outlineSecrets } from './outline.ts'
export { endOutline, findOutline, type OutlineAnswer } from './store.ts'
export const pageCommands = [outlinePage]
