/** A secret shorter than this would blacken ordinary words. */
export const shortestSecret = 4
const shortestEncoded = 8

/** The ways in which one secret may stand in text: plain, and as URLs, forms, JSON, HTML, Base64 and hex write it. */
export function formsOf(secret: string): string[] {
  const plain = new Set([secret, ...html(secret), ...urls(secret)])
  const escaped = new Set([...plain].flatMap((form) => [form, ...jsonLevels(form)]))
  if (Buffer.byteLength(secret) >= shortestEncoded) {
    const bytes = Buffer.from(secret)
    for (const form of [...base64(bytes), bytes.toString('hex'), bytes.toString('hex').toUpperCase()]) escaped.add(form)
  }
  return [...escaped]
}

function html(text: string): string[] {
  const basic = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  const quotes: [string, string][] = [
    ['&quot;', '&#39;'],
    ['&quot;', '&#x27;'],
    ['&#34;', '&#39;'],
    ['&quot;', '&apos;'],
    ['&quot;', "'"],
    ['"', "'"],
  ]
  return quotes.map(([double, single]) => basic.replace(/"/g, double).replace(/'/g, single))
}

function urls(text: string): string[] {
  const form = new URLSearchParams({ x: text }).toString().slice(2)
  const encoded = [encoding(encodeURIComponent, text), encoding(encodeURI, text), form, encodeStrictly(text)]
  return encoded.flatMap((one) => [one, lowerHex(one), encoding(encodeURIComponent, one)])
}

/** encodeURIComponent leaves !'()* alone; most servers' own encoders do not. */
function encodeStrictly(text: string): string {
  return encoding(encodeURIComponent, text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
}

function encoding(encode: (text: string) => string, text: string): string {
  return encode(text.toWellFormed())
}

/** JSON in JSON in JSON, as traces have it; and the escapes of encoders that keep to ASCII or escape slashes and angle brackets. */
function jsonLevels(text: string): string[] {
  const once = jsonInner(text)
  const ascii = once.replace(/[\u007f-\uffff]/g, unicodeEscape)
  const firsts = [
    once,
    ascii,
    once.replace(/\//g, '\\/'),
    ascii.replace(/[<>&']/g, unicodeEscape),
    ascii.replace(/[<>&'+]/g, (char) => unicodeEscape(char).toUpperCase().replace('\\U', '\\u')),
  ]
  return firsts.flatMap((first) => [first, jsonInner(first), jsonInner(jsonInner(first))])
}

function jsonInner(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** What is certain of the secret's Base64 wherever it starts within a group of three bytes, in both alphabets. */
function base64(secret: Buffer): string[] {
  const cut = [0, 2, 3]
  return [0, 1, 2].flatMap((shift) => {
    const whole = Math.floor(((shift + secret.length) * 8) / 6)
    const standard = Buffer.concat([Buffer.alloc(shift), secret])
      .toString('base64')
      .slice(cut[shift], whole)
    return [standard, standard.replace(/\+/g, '-').replace(/\//g, '_'), encodeURIComponent(standard)]
  })
}
