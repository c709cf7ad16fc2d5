export { mimeTypeOf, type ResourceCatalogue, resourceCatalogue } from './catalogue.ts'
export { protocolError, type ReadingRules, readResource } from './read.ts'
export { suggest } from './suggest.ts'
export { openUpdates } from './updates.ts'
