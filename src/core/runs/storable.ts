/**
 * JSON for a jsonb column. Pages may write what PostgreSQL cannot hold (NUL, 22P05, and half a surrogate pair, 22P02):
 * one such character would cost the whole batch, and at last the run its verdict. It becomes U+FFFD.
 */
export const storableJson = (value: unknown): string =>
  JSON.stringify(value, (_key, part) =>
    typeof part === 'string' ? part.replaceAll('\0', '\ufffd').toWellFormed() : part,
  )
