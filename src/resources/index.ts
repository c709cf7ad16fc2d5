export { mimeTypeOf, type ResourceCatalogue, resourceCatalogue } from './catalogue.ts'
export { readResource } from './read.ts'
