/** Stands where something was that looked like a credential. */
export const redacted = '[redacted]'

const header = 'authorization|proxy-authorization|cookie|set-cookie|x-api-key|x-auth-token|x-amz-security-token'
const field =
  'token|auth_?token|session_?(?:id|token)|access_?token|refresh_?token|id_?token|client_?secret|passw(?:or)?d|api_?key'

/** Names of fields whose text is never kept. */
export const secretField = new RegExp(`^(?:${header}|${field})$`, 'i')

// Pages choose the text that these meet: each is written so that no text makes it look
// at a character many times over, and none is unbounded: the engine keeps a way back for every character of a repeat.

/** Credentials known by their look alone: Molar's own, JWTs, and those of the big providers. */
const credential =
  /(?<![\w-])(?:mol(?:ar|a|ecule)?_(?:[a-z]{2,8}_)?[A-Za-z0-9]{20,255}|eyJ[\w-]{8,8192}\.eyJ[\w-]{8,16384}\.[\w-]{0,4096}|A(?:KIA|SIA)[A-Z0-9]{16}\b|gh[pousr]_[A-Za-z0-9]{30,255}|github_pat_\w{30,255}|xox[abprs]-[\w-]{10,255}|[rsp]k_(?:live|test)_[A-Za-z0-9]{16,255}|sk-(?=[A-Za-z_-]{0,255}\d)[\w-]{20,255}|AIza[\w-]{35})/g
const privateKey =
  /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----BEGIN)[\s\S]){0,20000}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g
const scheme = /\b(bearer|basic)( {1,8}|%20|\+)[\w.~+/=%-]{16,8192}/gi
const plainPair = new RegExp(`("name":\\s*"(?:${header})",\\s*"value":\\s*")(?:[^"\\\\]|\\\\.){1,16384}`, 'gi')
const nestedPair = new RegExp(
  `(?<!\\\\)(\\\\{1,7})("name\\1":\\s*\\1"(?:${header})\\1",\\s*\\1"value\\1":\\s*\\1")(?:(?!\\1").){1,16384}\\1"`,
  'gi',
)
const plainField = new RegExp(`("(?:${header}|${field})"\\s*:\\s*")(?:[^"\\\\]|\\\\.){1,16384}`, 'gi')
const nestedField = new RegExp(
  `(?<!\\\\)(\\\\{1,7})("(?:${header}|${field})\\1"\\s*:\\s*\\1")(?:(?!\\1").){1,16384}\\1"`,
  'gi',
)
const headerLine = new RegExp(`^((?:${header}):[ \\t]{0,16})\\S.{0,16384}`, 'gim')
const query = new RegExp(`([?&;]|\\b)((?:${field})=)[^&\\s"'\\\\<>#]{1,8192}`, 'gi')

/** The shortest credential (xoxb-…) and, with a name before it, any other. Most texts of a trace are neither. */
const shortest = 15
const named = /[=:]/

/** Replaces what looks like a credential, wherever it came from. */
export function redactShapes(text: string): string {
  if (text.length < shortest && !named.test(text)) return text
  return text
    .replace(credential, redacted)
    .replace(privateKey, redacted)
    .replace(scheme, `$1$2${redacted}`)
    .replace(plainPair, `$1${redacted}`)
    .replace(nestedPair, `$1$2${redacted}$1"`)
    .replace(plainField, `$1${redacted}`)
    .replace(nestedField, `$1$2${redacted}$1"`)
    .replace(headerLine, `$1${redacted}`)
    .replace(query, `$1$2${redacted}`)
}
