export { type Link, readLink, signLink } from './link.ts'
export { forgetLinks, spendLink } from './store.ts'
