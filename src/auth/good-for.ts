export const day = 86_400
/** How long what was sent by mail is good for, in seconds. */
export const goodFor = { verification: day, link: 15 * 60, reset: 30 * 60 } as const
