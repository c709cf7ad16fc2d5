// Written by scripts/generate-runtime.ts from src/core/scenarios/runtime. Do not edit.

/** Changes with the runtime, and with it the compiler's version. */
export const runtimeDigest = 'e1d4b50268'

/** The runtime's imports from Node. */
export const runtimeImports: string = `import { AsyncLocalStorage } from 'node:async_hooks'`

/** The runtime without types and without imports; it declares `openSession`. */
export const runtimeSource: string = `/** Why a step did not hold. Its texts never carry the value of a secret once they leave \`session.run\`. */
class StepFailure extends Error {
  kind
  expected
  actual
  candidates
  hint
  unresponsive
  constructor(kind, message, details = {}) {
    super(message)
    this.name = 'StepFailure'
    this.kind = kind
    if (details.expected !== undefined) this.expected = details.expected
    if (details.actual !== undefined) this.actual = details.actual
    if (details.candidates !== undefined) this.candidates = details.candidates
    if (details.hint !== undefined) this.hint = details.hint
    if (details.unresponsive !== undefined) this.unresponsive = details.unresponsive
  }
}

const longestText = 2000

/** Replaces every secret's value, also as it stands in a URL or in JSON, by \`\${secrets.NAME}\`. */
function redactText(text, secrets) {
  const forms = Object.entries(secrets).flatMap(([name, value]) =>
    secretForms(value).map((form) => ({ form, shown: \`\\\${secrets.\${name}}\` })),
  )
  // The longest first: a secret that contains another one must not leave its rest behind.
  forms.sort((a, b) => b.form.length - a.form.length)
  return replaceForms(text, forms)
}

function secretForms(value) {
  if (value === '') return []
  const folded = value.replace(/\\s+/g, ' ').trim()
  const forms = [value, folded, JSON.stringify(value).slice(1, -1), ...urlForms(value)]
  return [...new Set(forms)].filter((form) => form !== '')
}

// Fully encoded, as a form sends it, and as browsers leave it in a query, a path or after the hash.
function urlForms(value) {
  const url = new URL('http://x')
  url.search = value
  url.pathname = value
  url.hash = value
  const encoded = encodeURIComponent(value.toWellFormed())
  return [
    encoded,
    new URLSearchParams({ v: value }).toString().slice(2),
    ...[url.search, url.pathname, url.hash].map((part) => part.slice(1)),
  ]
}

// One pass from left to right: what was put in is never searched again, so a short secret cannot eat a replacement.
function replaceForms(text, forms) {
  if (!forms.some(({ form }) => text.includes(form))) return text
  let result = ''
  let position = 0
  while (position < text.length) {
    const hit = forms.find(({ form }) => text.startsWith(form, position))
    result += hit ? hit.shown : text[position]
    position += hit ? hit.form.length : 1
  }
  return result
}

/** The same failure, fit to be stored: secrets replaced first, then bounded, so that no half of a secret is left. */
function redactFailure(failure, secrets) {
  const clean = (text) => clipText(redactText(text, secrets), longestText)
  const details = {}
  if (failure.expected !== undefined) details.expected = clean(failure.expected)
  if (failure.actual !== undefined) details.actual = clean(failure.actual)
  if (failure.hint !== undefined) details.hint = clean(failure.hint)
  if (failure.unresponsive !== undefined) details.unresponsive = failure.unresponsive
  details.candidates = failure.candidates?.map((one) => ({
    description: clean(one.description),
    locator: clean(one.locator),
    why: clean(one.why),
  }))
  return new StepFailure(failure.kind, clean(failure.message), details)
}

function clipText(text, length) {
  return text.length > length ? \`\${text.slice(0, length - 1)}…\` : text
}

/** What went wrong inside Playwright, in one line: without its call log and its colours. */
function plainReason(error) {
  const text = error instanceof Error ? error.message : String(error)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: Playwright colours its call logs
  const uncoloured = text.replace(/\\u001b\\[\\d+m/g, '')
  const [first = ''] = uncoloured.split('\\n')
  return first.replace(/^[a-zA-Z]+\\.[a-zA-Z]+: (Error: )?/, '').trim()
}

/** True where Playwright gave up waiting. */
function isTimeout(error) {
  return error instanceof Error && error.name === 'TimeoutError'
}

/** Runs of white space become one space; the ends are trimmed. */
function foldSpace(text) {
  return text.replace(/\\s+/g, ' ').trim()
}

/** As \`foldSpace\`, and without regard to case. */
function foldText(text) {
  return foldSpace(text).toLowerCase()
}

/** A regular expression that is this literal text, whole, in any case and spacing. Linear: only literals and \`\\s\`. */
function wholeText(text) {
  const words = foldSpace(text)
    .split(' ')
    .map((word) => word.replace(/[\\\\^$.*+?()[\\]{}|/]/g, '\\\\$&'))
  return new RegExp(\`^\\\\s*\${words.join('\\\\s+')}\\\\s*$\`, 'i')
}

/**
 * Does a glob match? \`*\` stays within a segment, \`**\` crosses; a \`**\` between two slashes may be no segment at all.
 * Walks all possible positions at once, so the time is at most pattern × text and never explodes.
 */
function globMatches(pattern, text, separator = '/') {
  const tokens = globTokens(pattern)
  let places = spread(new Set([0]), tokens)
  for (const character of text) {
    const next = new Set()
    for (const place of places) {
      const token = tokens[place]
      if (token === undefined) continue
      if (token === '**' || (token === '*' && character !== separator)) next.add(place)
      else if (token !== '*' && token === character) next.add(place + 1)
    }
    places = spread(next, tokens)
    if (places.size === 0) return false
  }
  return places.has(tokens.length)
}

function globTokens(pattern) {
  const tokens = []
  for (const character of pattern) {
    if (character !== '*') tokens.push(character)
    else if (tokens.at(-1) === '**') continue
    else if (tokens.at(-1) === '*') tokens[tokens.length - 1] = '**'
    else tokens.push('*')
  }
  return tokens
}

// A star may stand for nothing, and "/**/" for one slash: those places are reached without a character.
function spread(places, tokens) {
  for (const place of places) {
    if (tokens[place] === '*' || tokens[place] === '**') places.add(place + 1)
    if (tokens[place] === '**' && tokens[place - 1] === '/' && tokens[place + 1] === '/') places.add(place + 2)
  }
  return places
}

function urlParts(text) {
  const hashAt = text.indexOf('#')
  const hash = hashAt < 0 ? undefined : text.slice(hashAt)
  const rest = hashAt < 0 ? text : text.slice(0, hashAt)
  const queryAt = rest.indexOf('?')
  const query = queryAt < 0 ? undefined : rest.slice(queryAt)
  const place = queryAt < 0 ? rest : rest.slice(0, queryAt)
  const scheme = place.indexOf('://')
  const slash = scheme < 0 ? 0 : place.indexOf('/', scheme + 3)
  if (scheme < 0) return { origin: '', path: place, query, hash }
  if (slash < 0) return { origin: place, path: '/', query, hash }
  return { origin: place.slice(0, slash), path: place.slice(slash), query, hash }
}

function decoded(text) {
  try {
    return decodeURI(text)
  } catch {
    return text
  }
}

/** A glob over path and query. Query and hash are compared only if the pattern has one, the origin only if it is absolute. */
function urlMatches(pattern, url) {
  const wanted = urlParts(pattern)
  const given = urlParts(url)
  if (wanted.origin !== '' && !globMatches(wanted.origin.toLowerCase(), given.origin.toLowerCase())) return false
  if (!partMatches(wanted.path, given.path, '/')) return false
  if (wanted.query !== undefined && !partMatches(wanted.query, given.query ?? '?', '')) return false
  return wanted.hash === undefined || partMatches(wanted.hash, given.hash ?? '#', '')
}

function partMatches(pattern, text, separator) {
  return globMatches(pattern, text, separator) || globMatches(decoded(pattern), decoded(text), separator)
}

/** The whole URL where the wanted one is absolute, else path, query and hash. */
function urlIs(wanted, url) {
  const shown = comparedUrl(wanted, url)
  return shown === wanted || decoded(shown) === decoded(wanted)
}

/** The part of a URL that is set against what was wanted. */
function comparedUrl(wanted, url) {
  if (wanted.includes('://')) return !wanted.endsWith('/') && url === \`\${wanted}/\` ? wanted : url
  const { path, query, hash } = urlParts(url)
  return path + (query ?? '') + (hash ?? '')
}

function deadlineIn(ms) {
  return { endsAt: performance.now() + ms, ms }
}

/** Milliseconds left, and never less than a last look takes: Playwright reads 0 as "for ever" and cannot do anything in 1. */
function timeLeft(deadline) {
  return Math.max(250, Math.ceil(deadline.endsAt - performance.now()))
}

function isOver(deadline) {
  return performance.now() >= deadline.endsAt
}

/** Keeps no process alive: who was cancelled in a wait of minutes has nobody left to wait for it. */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}

const pageBackOff = [50, 100, 250]
const localBackOff = [10, 10, 20, 20, 50]

/**
 * Asks until it gets an answer other than undefined, or until the deadline; then undefined.
 * It asks at least once, and once more when the time is up. \`local\` is for questions that cost no round trip.
 */
async function pollUntil(deadline, ask, pace = 'page') {
  const backOff = pace === 'page' ? pageBackOff : localBackOff
  for (let round = 0; ; round += 1) {
    const lastRound = isOver(deadline)
    const answer = await ask()
    if (answer !== undefined || lastRound) return answer
    const rest = Math.max(1, deadline.endsAt - performance.now())
    await pause(Math.min(backOff[Math.min(round, backOff.length - 1)], rest))
  }
}

/** "30 s", "250 ms". */
function inWords(ms) {
  return ms >= 1000 ? \`\${Math.round(ms / 100) / 10} s\` : \`\${Math.round(ms)} ms\`
}

/** The work's result, or what \`late\` makes of it when it hangs for longer than \`ms\`. What it does after that is dropped. */
async function boundedBy(work, ms, late) {
  let timer
  const alarm = new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      try {
        resolve(late())
      } catch (error) {
        reject(error)
      }
    }, ms).unref()
  })
  work.catch(() => {})
  try {
    return await Promise.race([work, alarm])
  } finally {
    clearTimeout(timer)
  }
}

const mostExchanges = 5000

/** Records every request from now on: a wait comes after the action that caused what it waits for. */
function watchTraffic(context) {
  const traffic = { exchanges: [], since: 0, nextSeq: 0 }
  const known = new WeakMap()
  context.on('request', (request) => {
    const exchange = { seq: traffic.nextSeq++, request, method: request.method(), url: request.url() }
    known.set(request, exchange)
    traffic.exchanges.push(exchange)
    if (traffic.exchanges.length > mostExchanges) traffic.exchanges.shift()
  })
  context.on('response', (response) => {
    const exchange = known.get(response.request())
    if (exchange) exchange.status = response.status()
  })
  context.on('requestfailed', (request) => {
    const exchange = known.get(request)
    if (exchange) exchange.failure = request.failure()?.errorText ?? 'failed'
  })
  return traffic
}

/** Waits a moment for answers that are on their way: all, or those that are \`meant\`. */
async function untilAnswered(traffic, ms, meant = () => true) {
  const isPending = (one) => one.status === undefined && one.failure === undefined && meant(one)
  await pollUntil(deadlineIn(ms), () => (traffic.exchanges.some(isPending) ? undefined : true), 'local')
}

/** From here on is "since the action before". */
function markAction(traffic) {
  traffic.since = traffic.nextSeq
}

function concerns(exchange, { method, pattern }) {
  return (method === '*' || exchange.method === method.toUpperCase()) && urlMatches(pattern, exchange.url)
}

function sinceAction(traffic) {
  return traffic.exchanges.filter((exchange) => exchange.seq >= traffic.since)
}

/** The first request since the last action that fits, or one that comes in time. */
async function awaitRequest(traffic, query, deadline) {
  const find = () => sinceAction(traffic).find((exchange) => concerns(exchange, query))
  if (!(await pollUntil(deadline, find, 'local'))) throw nothingCame('request', traffic, query, deadline)
}

/** As \`awaitRequest\`, for its answer, which becomes the last answer. A status that is asked for must be the answer's. */
async function awaitResponse(traffic, query, deadline) {
  const fits = (one) =>
    concerns(one, query) && one.status !== undefined && (query.status === undefined || one.status === query.status)
  const found = await pollUntil(deadline, () => sinceAction(traffic).find(fits), 'local')
  if (!found) throw nothingCame('response', traffic, query, deadline)
  const response = await boundedBy(found.request.response(), timeLeft(deadline), () => null)
  const body = response ? await boundedBy(response.text(), timeLeft(deadline), () => '').catch(() => '') : ''
  traffic.lastAnswer = { method: found.method, url: found.url, status: found.status, body }
}

function nothingCame(what, traffic, query, deadline) {
  const asked = \`\${query.method} \${query.pattern}\${query.status === undefined ? '' : \` with status \${query.status}\`}\`
  const matching = sinceAction(traffic).filter((exchange) => concerns(exchange, query))
  const others = sinceAction(traffic).filter((one) => ['xhr', 'fetch', 'document'].includes(one.request.resourceType()))
  const seen = (matching.length > 0 ? matching : others).slice(-5).map(exchangeInWords)
  return new StepFailure('action', \`No \${what} \${asked} since the action before (waited \${inWords(deadline.ms)}).\`, {
    expected: \`\${what} \${asked}\`,
    actual: seen.length > 0 ? seen.join('; ') : 'no such traffic',
  })
}

/** "POST http://… → 500". */
function exchangeInWords({ method, url, status, failure }) {
  return \`\${method} \${clipText(url, 200)} → \${failure ?? status ?? 'no answer yet'}\`
}

/** The last answer, or a failure that says how to get one. */
function answerOf(traffic) {
  if (traffic.lastAnswer) return traffic.lastAnswer
  throw new StepFailure('assertion', 'There is no response to look at yet.', {
    expected: 'a response',
    actual: 'none was awaited or requested',
    hint: 'Put \`Wait for response GET /path\` or \`Request GET /path\` before this step.',
  })
}

const mostComplaints = 1000

function watchComplaints(context) {
  const complaints = { console: [], thrown: [] }
  context.on('console', (message) => {
    if (message.type() !== 'error' || complaints.console.length >= mostComplaints) return
    complaints.console.push({ text: message.text(), url: message.location().url })
  })
  context.on('weberror', (error) => {
    if (complaints.thrown.length < mostComplaints) complaints.thrown.push(error.error().message)
  })
  return complaints
}

const isFavicon = (url) => url.split('?')[0].endsWith('/favicon.ico')

/** Errors on the console, without those that the scenario itself injected. */
function consoleErrors(state, complaints) {
  const own = ({ url, text }) =>
    state.faults.touched.has(url) ||
    isFavicon(url) ||
    (state.faults.wasOffline && text.includes('ERR_INTERNET_DISCONNECTED'))
  return [...complaints.console.filter((one) => !own(one)).map((one) => one.text), ...complaints.thrown]
}

/** Requests without an answer or with one of 400 and above, without those injected and those the page itself gave up. */
function failedRequests(state) {
  const failed = state.traffic.exchanges.filter(({ url, status, failure }) => {
    if (state.faults.touched.has(url) || isFavicon(url) || failure === 'net::ERR_ABORTED') return false
    if (state.faults.wasOffline && failure === 'net::ERR_INTERNET_DISCONNECTED') return false
    return failure !== undefined || (status ?? 0) >= 400
  })
  return failed.map(exchangeInWords)
}

/** Lets what the pages have said already, and answers that are on their way, arrive. */
async function hearOut(state) {
  await untilAnswered(state.traffic, 1000)
  const answer = state.pages.current.evaluate(() => true)
  await boundedBy(answer, 1000, () => true).catch(() => true)
}

/** The invariants of the whole run, from the front matter's \`assertions\`. Throws the first that does not hold. */
async function checkInvariants(state, complaints) {
  const wanted = state.settings.assertions
  if (!Object.values(wanted).some(Boolean)) return
  await hearOut(state)
  if (wanted.no_console_errors) expectNone('console errors', consoleErrors(state, complaints))
  if (wanted.no_unhandled_rejections) expectNone('unhandled rejections or exceptions', complaints.thrown)
  if (wanted.no_failed_requests) expectNone('failed requests', failedRequests(state))
}

function expectNone(what, found) {
  if (found.length === 0) return
  throw new StepFailure('assertion', \`The run was to have no \${what}, but it had \${found.length}.\`, {
    expected: \`no \${what}\`,
    actual: found.slice(0, 5).join('; '),
  })
}

function watchDialogs(context, tell) {
  const desk = { tell }
  context.on('dialog', (dialog) => {
    // A dialog whose page was closed meanwhile cannot be met any more.
    meetDialog(desk, dialog).catch(() => {})
  })
  return desk
}

async function meetDialog(desk, dialog) {
  if (dialog.type() === 'beforeunload') return dialog.accept()
  if (desk.answer && desk.met && !desk.held) {
    desk.held = dialog
    desk.onHeld?.()
    return
  }
  await answerDialog(desk, dialog)
}

async function answerDialog(desk, dialog) {
  const [type, message] = [dialog.type(), dialog.message()]
  const answer = desk.met ? undefined : desk.answer
  if (answer) desk.met = { type, message }
  else desk.unasked = { type, message }
  desk.tell({ kind: 'dialog', type, message, accepted: answer?.accept ?? false, awaited: answer !== undefined })
  if (answer?.accept) await dialog.accept(answer.text)
  else await dialog.dismiss()
}

/** Gives a held dialog what is armed now, or dismisses it. */
async function releaseHeld(desk) {
  const { held } = desk
  desk.held = undefined
  if (held) await answerDialog(desk, held).catch(() => {})
}

/** The work, or as much of it as is done when a second dialog makes the page stand still. */
async function untilHeld(desk, work) {
  const held = new Promise((resolve) => {
    desk.onHeld = resolve
  })
  work.catch(() => {})
  await Promise.race([work, held])
  desk.onHeld = undefined
}

/** Before the step that causes the dialog. */
function armDialog(desk, answer) {
  desk.answer = answer
  desk.met = undefined
}

/** The step that meets the dialog: it may have come already, or still come. */
async function awaitDialog(desk, answer, deadline) {
  if (!desk.answer) armDialog(desk, answer)
  const met = await pollUntil(deadline, () => desk.met ?? closedAlert(desk), 'local')
  const { unasked } = desk
  desk.answer = undefined
  desk.met = undefined
  desk.unasked = undefined
  if (met) return
  const earlier = unasked ? \`; a \${unasked.type} "\${unasked.message}" came earlier and was dismissed\` : ''
  throw new StepFailure('action', \`No dialog opened\${earlier}.\`, {
    expected: \`a dialog to \${answer.accept ? 'accept' : 'dismiss'}\`,
    actual: unasked ? \`a \${unasked.type} that came before it was expected\` : 'no dialog',
    hint: 'Put this step right after the one that opens the dialog.',
  })
}

// An alert has one button: that it was closed unasked comes to the same.
function closedAlert(desk) {
  return desk.unasked?.type === 'alert' ? desk.unasked : undefined
}

function newFaults() {
  return { rules: [], touched: new Set(), offline: false, wasOffline: false, routed: false }
}

/** The newest rule goes first. Routing starts with the first rule, because it costs every request a round trip. */
async function addFault(context, faults, fault) {
  faults.rules.unshift(fault)
  if (faults.routed) return
  faults.routed = true
  const mayConcern = (url) => faults.rules.some((rule) => rule.times > 0 && urlMatches(rule.pattern, url.href))
  await context.route(mayConcern, (route) => applyFaults(faults, route))
}

// A page that goes away while its request is held back is no failure.
async function applyFaults(faults, route) {
  try {
    await answerRoute(faults, route)
  } catch {}
}

async function answerRoute(faults, route) {
  const request = route.request()
  for (const rule of faults.rules) {
    const fits =
      (rule.method === '*' || rule.method.toUpperCase() === request.method()) && urlMatches(rule.pattern, request.url())
    if (!fits || rule.times <= 0) continue
    rule.times -= 1
    if (rule.delayMs !== undefined) await pause(rule.delayMs)
    if (!rule.answer) continue
    faults.touched.add(request.url())
    const { status, body, contentType } = rule.answer
    return route.fulfill({ status, body, contentType })
  }
  // Not \`continue\`: whoever else holds routes, such as the guard of allowed origins, must still be asked.
  await route.fallback()
}

async function setOffline(context, faults, offline) {
  faults.offline = offline
  if (offline) faults.wasOffline = true
  await context.setOffline(offline)
}

/** All nodes of a snapshot, in page order. */
function ariaNodes(snapshot) {
  const all = []
  const walk = (node) => {
    all.push(node)
    node.children.forEach(walk)
  }
  parseAria(snapshot).children.forEach(walk)
  return all
}

/** Reads the indented list that Playwright writes and a scenario holds. Throws an Error with the line that is not one. */
function parseAria(text) {
  const root = { role: 'fragment', marks: [], properties: {}, children: [] }
  const open = [{ indent: -1, node: root }]
  for (const line of text.split('\\n')) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue
    const indent = line.length - line.trimStart().length
    const body = line.trim()
    if (!body.startsWith('- ') && body !== '-')
      throw new Error(\`"\${body}" is not a line of an aria snapshot: it must start with "- ".\`)
    while (open.length > 1 && open.at(-1).indent >= indent) open.pop()
    const parent = open.at(-1).node
    const { key, value } = splitAriaLine(body.slice(1).trim())
    if (key.startsWith('/')) {
      parent.properties[key.slice(1)] = value ?? ''
      continue
    }
    const node = ariaNode(key, value)
    parent.children.push(node)
    open.push({ indent, node })
  }
  return root
}

function ariaNode(key, value) {
  const node = readAriaKey(key)
  if (node.role === 'text') node.text = value ?? node.name ?? ''
  else if (value !== undefined && value !== '')
    node.children.push({ role: 'text', text: value, marks: [], properties: {}, children: [] })
  return node
}

// A line is \`key\`, \`key:\` or \`key: value\`; either may stand in quotes, as YAML asks where they hold marks of its own.
function splitAriaLine(line) {
  if (line.startsWith("'")) {
    const end = closingQuote(line, "'")
    return {
      key: line.slice(1, end).replaceAll("''", "'"),
      value: ariaScalar(line.slice(end + 1).replace(/^\\s*:/, '')),
    }
  }
  let quoted = false
  for (let at = 0; at < line.length; at += 1) {
    if (line[at] === '\\\\') at += 1
    else if (line[at] === '"') quoted = !quoted
    else if (!quoted && line[at] === ':' && (at + 1 === line.length || line[at + 1] === ' ')) {
      return { key: line.slice(0, at).trim(), value: ariaScalar(line.slice(at + 1)) }
    }
  }
  return { key: line, value: undefined }
}

function closingQuote(line, quote) {
  let at = 1
  while (at < line.length && (line[at] !== quote || line[at + 1] === quote)) at += line[at] === quote ? 2 : 1
  return at
}

function ariaScalar(text) {
  const bare = text.trim()
  if (bare === '') return undefined
  if (bare.length > 1 && bare.startsWith("'") && bare.endsWith("'")) return bare.slice(1, -1).replaceAll("''", "'")
  if (bare.length > 1 && bare.startsWith('"') && bare.endsWith('"')) return unquoteAria(bare)
  return bare
}

function unquoteAria(quoted) {
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted.slice(1, -1)
  }
}

function readAriaKey(key) {
  const roleEnd = key.search(/[\\s"[]/)
  const role = roleEnd < 0 ? key : key.slice(0, roleEnd)
  if (!/^[a-z]+$/.test(role)) throw new Error(\`"\${key}" does not start with an ARIA role.\`)
  const node = { role, marks: [], properties: {}, children: [] }
  let rest = roleEnd < 0 ? '' : key.slice(roleEnd).trim()
  if (rest.startsWith('/'))
    throw new Error(\`"\${key}": regular expressions are not supported; leave the name out, or write it.\`)
  if (rest.startsWith('"')) {
    let end = 1
    while (end < rest.length && rest[end] !== '"') end += rest[end] === '\\\\' ? 2 : 1
    node.name = unquoteAria(rest.slice(0, end + 1))
    rest = rest.slice(end + 1)
  }
  node.marks = [...rest.matchAll(/\\[([^\\]]*)\\]/g)].map((mark) => mark[1].trim())
  return node
}

/** Does any place of the page's snapshot match the template? Order is kept, nodes may be left out, names compare whole. */
function ariaMatches(template, page) {
  if (childrenMatch(template, page)) return true
  const [only] = template.children
  // A template of one node may stand anywhere, as may a list of nodes under one parent.
  if (template.children.length === 1 && only && page.children.some((node) => nodeMatches(only, node))) return true
  return page.children.some((node) => ariaMatches(template, node))
}

function nodeMatches(template, node) {
  if (template.role !== node.role) return false
  if (template.role === 'text') return ariaText(template.text) === ariaText(node.text)
  if (template.name !== undefined && ariaText(template.name) !== ariaText(node.name)) return false
  if (!template.marks.every((mark) => markHolds(mark, node.marks))) return false
  const properties = Object.entries(template.properties).filter(([key]) => key !== 'children')
  return properties.every(([key, value]) => node.properties[key] === value) && childrenMatch(template, node)
}

function markHolds(mark, marks) {
  const plain = (text) => text.replace(/\\s/g, '').replace(/=true$/, '')
  if (mark.replace(/\\s/g, '').endsWith('=false')) return !marks.map(plain).includes(plain(mark).replace(/=false$/, ''))
  return marks.map(plain).includes(plain(mark))
}

function ariaText(text) {
  return (text ?? '').replace(/\\s+/g, ' ').trim()
}

function childrenMatch(template, node) {
  const mode = template.properties.children ?? 'contain'
  if (mode !== 'contain') {
    return (
      template.children.length === node.children.length &&
      template.children.every((one, at) => nodeMatches(one, node.children[at]))
    )
  }
  let next = 0
  for (const child of node.children) {
    const wanted = template.children[next]
    if (wanted === undefined) return true
    if (nodeMatches(wanted, child)) next += 1
  }
  return next >= template.children.length
}

/** The text that a value stands for now. Throws a StepFailure of kind \`environment\` for what cannot be resolved. */
function resolveValue(value, environment, remembered) {
  if (typeof value === 'string') return value
  return value
    .map((part) => (typeof part === 'string' ? part : resolveReference(part.ref, environment, remembered)))
    .join('')
}

/** The value as written, with \`\${…}\` where references stand: safe to show. */
function shownValue(value) {
  return typeof value === 'string'
    ? value
    : value.map((part) => (typeof part === 'string' ? part : \`\\\${\${part.ref}}\`)).join('')
}

/** The names of the secrets that a value holds. */
function secretsIn(value) {
  if (typeof value === 'string') return []
  return value.flatMap((part) =>
    typeof part !== 'string' && part.ref.startsWith('secrets.') ? [part.ref.slice(8)] : [],
  )
}

function resolveReference(ref, environment, remembered) {
  const found = lookUpReference(ref, environment, remembered)
  if (found === undefined)
    throw new StepFailure('environment', \`\\\${\${ref}} has no value in this run.\`, { hint: referenceHint(ref) })
  return found
}

function lookUpReference(ref, { variables, env, secrets, run, data }, remembered) {
  const dot = ref.indexOf('.')
  const [space, name] = [ref.slice(0, Math.max(dot, 0)), ref.slice(dot + 1)]
  if (space === 'secrets') return own(secrets, name)
  if (space === 'env') return own(env, name)
  if (space === 'remembered') return own(remembered, name)
  if (space === 'data') return own(data, name)
  if (space === 'run') return own({ id: run.id, 'user.id': run.user.id, 'user.email': run.user.email }, name)
  return own(variables, ref)
}

function own(map, key) {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

function referenceHint(ref) {
  if (ref.startsWith('secrets.')) return 'Store the secret for the org, or give it to the run.'
  if (ref.startsWith('env.')) return 'Set it in the environment in which the run takes place.'
  if (ref.startsWith('remembered.')) return 'Remember it in a step before this one.'
  return 'Give it under \`variables\` in the front matter.'
}

/** The page that steps act on. */
function currentPage(state) {
  return state.pages.current
}

/** Where targets are looked for: the page, or the frame switched to. */
function currentRoot(state) {
  return state.frame ?? state.pages.current
}

function textOf(state, value) {
  return resolveValue(value, state.environment, state.remembered)
}

/** A target as a scenario writes it, references unresolved: \`button "Delete" in row "Ada"\`. */
function describeTarget(target) {
  const narrowed = target.within ? \` in \${describeTarget(target.within)}\` : ''
  return describeAlone(target) + describeChoice(target) + narrowed
}

function describeAlone(target) {
  if (target.by === 'css') return \`\\\`\${shownValue(target.css)}\\\`\`
  if (target.by === 'testid') return \`testid "\${shownValue(target.testid)}"\`
  if (target.by === 'name') return \`"\${shownValue(target.name)}"\`
  return target.name === undefined ? target.role : \`\${target.role} "\${shownValue(target.name)}"\`
}

function describeChoice(target) {
  if (target.nth !== undefined) return \` {nth: \${target.nth}}\`
  if (target.first) return ' {first: true}'
  return target.last ? ' {last: true}' : ''
}

const mostCandidates = 5

const wantInWords = {
  fill: ' that can be filled',
  value: ' that holds a value',
  check: ' that can be checked',
  select: ' with choices',
  frame: ' that is a frame',
}

/** The failure for a target that did not come, with the nearest things on the page. */
async function notFoundFailure(state, target, want, waitedMs, total) {
  const name = describeTarget(target)
  const candidates = await nearestTo(state, target, want)
  const few = total > 0 ? \`Only \${total} match \${name}\` : \`Nothing\${wantInWords[want] ?? ''} matches \${name}\`
  return new StepFailure(
    'action',
    \`\${few} on \${currentPage(state).url()} (waited \${inWords(waitedMs)}).\${listed(candidates)}\`,
    {
      expected: name,
      actual: total > 0 ? \`\${total} found\` : 'not found',
      candidates,
      ...(candidates[0] ? { hint: \`Did you mean \${candidates[0].locator}?\` } : {}),
    },
  )
}

/** The failure for a target that several elements match. */
async function ambiguousFailure(state, { locator, count, about }) {
  const name = describeTarget(about)
  const described = await boundedBy(locator.evaluateAll(describeElements), 1000, () => []).catch(() => [])
  const candidates = described.slice(0, mostCandidates).map((description, index) => ({
    description,
    locator: \`\${describeTarget({ ...about, within: undefined })} {nth: \${index + 1}}\`,
    why: 'matches as well',
  }))
  return new StepFailure(
    'action',
    \`\${count} elements match \${name} on \${currentPage(state).url()}.\${listed(candidates)}\`,
    {
      expected: \`one \${name}\`,
      actual: \`\${count} of them\`,
      candidates,
      hint: 'Narrow it with a role, with \`in <target>\`, or with one of {nth}, {first}, {last}, {exact}.',
    },
  )
}

function listed(candidates) {
  if (candidates.length === 0) return ''
  return \` There \${candidates.length === 1 ? 'is' : 'are'}: \${candidates.map((one) => one.description).join('; ')}.\`
}

// Runs in the page.
function describeElements(elements) {
  return elements.slice(0, 6).map((element) => {
    const kept = ['id', 'name', 'type', 'role', 'href', 'aria-label', 'data-testid']
    const marks = kept.filter((key) => element.hasAttribute(key)).map((key) => \` \${key}="\${element.getAttribute(key)}"\`)
    const text = (element.textContent ?? '').replace(/\\s+/g, ' ').trim().slice(0, 60)
    const row = element.closest('tr,li,[role=row],[role=listitem],section,form,dialog')
    const around = row && row !== element ? (row.textContent ?? '').replace(/\\s+/g, ' ').trim().slice(0, 60) : ''
    return \`<\${element.tagName.toLowerCase()}\${marks.join('')}>\${text}\${around && around !== text ? \` (within "\${around}")\` : ''}\`
  })
}

async function nearestTo(state, target, want) {
  const wanted = wantedName(state, target)
  const role = target.by === 'role' ? target.role : undefined
  const snapshot = await boundedBy(
    currentRoot(state).locator('css=body').ariaSnapshot({ timeout: 1000 }),
    1500,
    () => '',
  ).catch(() => '')
  const scored = ariaNodes(snapshot).flatMap((node) => {
    const name = node.name ?? node.text ?? ''
    const score = (wanted === '' ? 0 : likeness(wanted, name)) + roleBonus(node.role, role, want)
    return name !== '' && score >= 0.4
      ? [{ role: node.role, name: clipText(name, 80), score, sameRole: node.role === role }]
      : []
  })
  const best = scored.sort((a, b) => b.score - a.score).slice(0, mostCandidates * 2)
  const candidates = best.map(({ role: shown, name, sameRole }) => {
    const locator = shown === 'text' ? \`"\${name}"\` : \`\${shown} "\${name}"\`
    return { description: locator, locator, why: sameRole ? 'same role, similar name' : 'similar name' }
  })
  return candidates
    .filter((one, at) => candidates.findIndex((other) => other.locator === one.locator) === at)
    .slice(0, mostCandidates)
}

function wantedName(state, target) {
  if (target.by === 'name') return textOf(state, target.name)
  if (target.by === 'role') return target.name === undefined ? '' : textOf(state, target.name)
  // A selector's words often are the words on the page: "#pay-now", "[data-testid=pay-now]".
  const written = target.by === 'css' ? textOf(state, target.css) : textOf(state, target.testid)
  return written.replace(/[^\\p{L}\\p{N}]+/gu, ' ').trim()
}

const fillableRoles = new Set(['textbox', 'searchbox', 'spinbutton', 'combobox'])
const pressableRoles = new Set(['button', 'link', 'menuitem', 'tab', 'checkbox', 'radio', 'option', 'switch'])

function roleBonus(role, wantedRole, want) {
  if (wantedRole !== undefined) return role === wantedRole ? 0.45 : 0
  if (want === 'fill' || want === 'value') return fillableRoles.has(role) ? 0.3 : 0
  return want === 'click' && pressableRoles.has(role) ? 0.15 : 0
}

/** 0 to 1: shared pairs of letters (Dice), and a floor where one holds the other. */
function likeness(left, right) {
  const [a, b] = [foldText(left), foldText(right)]
  if (a === b) return 1
  if (a === '' || b === '') return 0
  const dice = sharedPairs(letterPairs(a), letterPairs(b))
  return a.includes(b) || b.includes(a) ? Math.max(dice, 0.5) : dice
}

function letterPairs(text) {
  const short = \` \${text.slice(0, 200)} \`
  return Array.from({ length: short.length - 1 }, (_, at) => short.slice(at, at + 2))
}

function sharedPairs(left, right) {
  const counts = new Map()
  for (const pair of left) counts.set(pair, (counts.get(pair) ?? 0) + 1)
  let shared = 0
  for (const pair of right) {
    const rest = counts.get(pair) ?? 0
    if (rest > 0) shared += 1
    counts.set(pair, rest - 1)
  }
  return (2 * shared) / (left.length + right.length)
}

const fillable =
  'css=input:not([type=button],[type=submit],[type=reset],[type=image],[type=checkbox],[type=radio],[type=file],[type=hidden]),' +
  'textarea,[contenteditable]:not([contenteditable=false]),[role=textbox],[role=searchbox]'
const selectable = 'css=select,[role=combobox],[role=listbox],[aria-haspopup=listbox]'
const checkable =
  'css=input[type=checkbox],input[type=radio],[role=checkbox],[role=radio],[role=switch],[role=menuitemcheckbox],[role=menuitemradio],label'
const container =
  'css=tr,li,article,section,fieldset,form,dialog,details,table,ul,ol,nav,aside,main,header,footer,' +
  '[role=row],[role=listitem],[role=article],[role=region],[role=group],[role=form],[role=dialog],[role=alertdialog],' +
  '[role=tabpanel],[role=treeitem],[role=menu],[role=toolbar],[role=list],[role=table],[role=grid],[role=radiogroup]'

const wantedElements = {
  fill: fillable,
  value: \`\${fillable},select\`,
  check: checkable,
  select: selectable,
  frame: 'css=iframe,frame',
}

const labelledFirst = new Set(['fill', 'value', 'check', 'select', 'file', 'frame'])

// Asking for a role costs a pass over the whole page, so each want asks for its own few.
const firstRoles = {
  see: ['button', 'link'],
  click: ['button', 'link'],
  fill: ['textbox'],
  value: ['textbox'],
  check: ['checkbox', 'radio', 'switch'],
  select: ['combobox', 'listbox'],
  file: [],
  frame: [],
  container: ['row', 'dialog', 'region'],
}

const interactiveRoles = [
  ...['button', 'link', 'textbox', 'searchbox', 'checkbox', 'radio', 'switch', 'combobox', 'listbox', 'option'],
  ...['menuitem', 'menuitemcheckbox', 'menuitemradio', 'tab', 'treeitem', 'slider', 'spinbutton'],
  ...['gridcell', 'scrollbar'],
]

/** Native elements with a role that is named by its content or otherwise not by a label. */
const nativeRoles = { OPTION: 'option', SUMMARY: 'button' }

function nameTest(name, whole, exact) {
  if (exact) return { name, exact: true }
  return { name: whole ? wholeText(name) : name, exact: false }
}

/**
 * The first thing to try for a name alone, because it mostly is the answer: buttons and links for who clicks or looks,
 * labels for who fills in a form, where accessible name and label are the same text.
 */
function firstStage(page, name, want, whole, exact) {
  if (!labelledFirst.has(want)) return roleStage(page, firstRoles[want], name, want, whole, exact)
  const label = page.getByLabel(nameTest(name, whole, exact).name, { exact })
  return { how: 'label', locator: onlyWanted(page, label, want), whole }
}

/** Any of these roles with that accessible name. */
function roleStage(page, roles, name, want, whole, exact) {
  const test = nameTest(name, whole, exact)
  const [first, ...others] = roles.map((role) => page.getByRole(role, test))
  const union = others.reduce((all, one) => all.or(one), first)
  return { how: 'role', locator: onlyWanted(page, union, want), whole }
}

/** The rest of the chain for a name alone, in its order. */
function laterStages(page, name, want, whole, exact) {
  const { name: text } = nameTest(name, whole, exact)
  const titled = page.getByTitle(text, { exact }).or(page.getByAltText(text, { exact }))
  const first = []
  if (!labelledFirst.has(want)) first.push({ how: 'label', locator: page.getByLabel(text, { exact }), whole })
  else if (firstRoles[want].length > 0) first.push(roleStage(page, firstRoles[want], name, want, whole, exact))
  const stages = [
    ...first,
    { how: 'placeholder', locator: page.getByPlaceholder(text, { exact }), whole },
    { how: 'title', locator: want === 'frame' ? titled.or(frameNamed(page, name)) : titled, whole },
  ]
  if (want !== 'fill' && want !== 'value' && want !== 'select' && want !== 'frame') {
    stages.push({
      how: 'text',
      locator: want === 'container' ? around(page, text) : page.getByText(text, { exact }),
      whole,
    })
  }
  return stages.map((stage) => ({ ...stage, locator: onlyWanted(page, stage.locator, want) }))
}

// A person says "in the dialog's frame" by its title, a developer by its name or id.
function frameNamed(page, name) {
  const quoted = JSON.stringify(foldText(name))
  return page.locator(\`css=iframe[name=\${quoted} i],iframe[id=\${quoted} i],frame[name=\${quoted} i]\`)
}

/** The innermost row, item, form … that shows a text. */
function around(page, text) {
  const holding = page.locator(container).filter({ has: page.getByText(text) })
  return holding.filter({ hasNot: page.locator(container).filter({ has: page.getByText(text) }) })
}

function onlyWanted(page, locator, want) {
  const css = wantedElements[want]
  return css === undefined ? locator : locator.and(page.locator(css))
}

// These take no name from what they hold, yet that is how a person names them: alert "Saved", listitem "Ada".
const namedByContent = new Set(
  'alert alertdialog article banner blockquote caption code complementary contentinfo definition deletion dialog emphasis feed figure form grid group insertion list listbox listitem log main marquee math menu menubar navigation none note paragraph radiogroup region search status strong subscript superscript table tablist tabpanel term time timer toolbar tree treegrid'.split(
    ' ',
  ),
)

/** The ways to read \`role "name"\`, strongest first. */
function stagesForRole(page, role, name, exact) {
  const known = role
  if (name === undefined) return [{ how: 'given', locator: page.getByRole(known), whole: true }]
  return (exact ? [true] : [true, false]).flatMap((whole) => {
    const test = nameTest(name, whole, exact)
    const named = { how: 'role', locator: page.getByRole(known, test), whole }
    if (role === 'textbox') named.locator = named.locator.or(passwordField(page, test))
    if (!namedByContent.has(role)) return [named]
    const holding = page.getByRole(known).filter({ hasText: test.name })
    return [named, { how: 'text', locator: holding.filter({ hasNot: holding }), whole }]
  })
}

// A password field has no role of its own; to a person it is a text box like any other.
function passwordField(page, { name, exact }) {
  return page.getByLabel(name, { exact }).and(page.locator('css=input[type=password]'))
}

/** A CSS selector and nothing else: no other engine, no chain, no regular expression. */
function cssStage(page, css) {
  const refused = css.includes('>>') || css.includes(':text-matches') || css.includes('internal:')
  if (refused || css.trim() === '') {
    throw new StepFailure('action', \`\\\`\${css}\\\` is not a plain CSS selector.\`, {
      hint: 'Only CSS stands in backticks; narrow a target with \`in\` instead of \`>>\`.',
    })
  }
  return { how: 'given', locator: page.locator(\`css=\${css}\`), whole: true }
}

/**
 * Playwright's own trace does not tell of these calls, nor take the page's DOM before and after each: what the scenario
 * did is easier to see, and costs less to record. Playwright takes a stack trace, half a millisecond, of every call that is
 * not part of another: so all of these are parts of one.
 */
async function unseen(of, work) {
  const { _wrapApiCall: wrap } = of
  if (!wrap) return work()
  const one = calls.get(of) ?? wrap.call(of, async () => AsyncLocalStorage.snapshot(), { internal: true })
  calls.set(of, one)
  return (await one)(work)
}

const calls = new WeakMap()

/** How long a match that a better one may still replace is held back: a late label is not lost to early text. */
const weakMatchGrace = 300
/** Two of a kind may be a moment of an animation; longer than this they are two. */
const ambiguityGrace = 1000

/** One look, no waiting. \`seen\` false takes hidden elements too. */
async function lookFor(state, target, want, seen = true) {
  let scope
  if (target.within) {
    const outer = await lookFor(state, target.within, 'container', seen)
    if (outer.count !== 1) return outer
    scope = outer.locator
  }
  const onlySeen = seen && want !== 'file'
  const place = (stage) => {
    const inside = scope
      ? scope.locator(stage.locator)
      : state.frame
        ? state.frame.locator(stage.locator)
        : stage.locator
    return onlySeen ? visibleOnly(state, inside, target) : inside
  }
  const hit = await firstHit(state, target, want, place)
  if (!hit) return { locator: currentRoot(state).locator('css=body'), count: 0, total: 0, about: target }
  return choose(state, target, want, hit)
}

// A choice inside a closed <select> has no box of its own, and still can be seen by opening it.
function visibleOnly(state, locator, target) {
  const visible = locator.filter({ visible: true })
  const mayBeOption = (target.by === 'role' && target.role === 'option') || target.by === 'css'
  return mayBeOption ? visible.or(locator.and(currentPage(state).locator('css=select option'))) : visible
}

async function firstHit(state, target, want, place) {
  const page = currentPage(state)
  const exact = target.exact === true
  if (target.by === 'css') return firstOf([cssStage(page, textOf(state, target.css))], place)
  if (target.by === 'testid') {
    return firstOf([{ how: 'given', locator: page.getByTestId(textOf(state, target.testid)), whole: true }], place)
  }
  if (target.by === 'role') {
    const name = target.name === undefined ? undefined : textOf(state, target.name)
    for (const stage of stagesForRole(page, target.role, name, exact)) {
      const hit = await firstOf([stage], place)
      if (hit) return hit
    }
    return undefined
  }
  return byNameAlone(state, textOf(state, target.name), want, exact, place)
}

async function byNameAlone(state, name, want, exact, place) {
  const page = currentPage(state)
  let otherRoles
  for (const whole of exact ? [true] : [true, false]) {
    const first = firstStage(page, name, want, whole, exact)
    const hit = await firstOf([first], place)
    if (hit) return hit
    if (want === 'see' || want === 'click') otherRoles ??= await rolesOnPage(state)
    const byRole = otherRoles?.length ? [roleStage(page, otherRoles, name, want, whole, exact)] : []
    const later = await firstOf([...byRole, ...laterStages(page, name, want, whole, exact)], place)
    if (later) return later
  }
  return undefined
}

// Which interactive roles are there at all: one cheap question instead of a pass over the page for each role.
async function rolesOnPage(state) {
  const marked = currentRoot(state).locator('css=[role],option,summary')
  const present = await marked.evaluateAll((elements) => [
    ...new Set(elements.map((element) => element.getAttribute('role')?.trim().split(/\\s+/)[0] ?? element.tagName)),
  ])
  const roles = present.map((one) => nativeRoles[one.toUpperCase()] ?? one.toLowerCase())
  return [...new Set(roles)].filter((role) => interactiveRoles.includes(role))
}

/** The first stage that matches anything; all are asked at once, in one burst. */
async function firstOf(stages, place) {
  const placed = stages.map((stage) => ({ stage, locator: place(stage) }))
  const counts = await Promise.all(placed.map(({ locator }) => locator.count()))
  const at = counts.findIndex((count) => count > 0)
  return at < 0 ? undefined : { ...placed[at], count: counts[at] }
}

async function choose(state, target, want, hit) {
  const { locator, count, stage } = hit
  const base = { total: count, stage, about: target }
  if (target.nth !== undefined)
    return { ...base, locator: locator.nth(target.nth - 1), count: count >= target.nth ? 1 : 0 }
  if (target.first) return { ...base, locator: locator.first(), count: 1 }
  if (target.last) return { ...base, locator: locator.last(), count: 1 }
  if (count > 1 && target.by === 'name') {
    const narrowed = await narrow(state, want, locator)
    if (narrowed) return { ...base, locator: narrowed, count: 1, total: 1 }
  }
  return { ...base, locator, count }
}

// A tab that holds a link of the same name is one thing to a person: the inner one. And a click prefers what is made for it.
async function narrow(state, want, locator) {
  const innermost = locator.filter({ hasNot: locator })
  if ((await innermost.count()) === 1) return innermost
  if (want !== 'click') return undefined
  const page = currentPage(state)
  const pressable = locator.and(page.getByRole('button').or(page.getByRole('link')))
  return (await pressable.count()) === 1 ? pressable : undefined
}

/** Waits for exactly one element. Throws a StepFailure that lists what was there instead. */
async function findOne(state, target, want, deadline) {
  const patience = {}
  let last
  const found = await pollUntil(deadline, async () => {
    // What is then done shows in the trace; that it was looked for first does not.
    last = await unseen(currentPage(state), () => lookSafely(state, target, want))
    return last && (await settled(last, want, patience, deadline)) ? last : undefined
  })
  if (found && found.count === 1) return found.locator
  if (last && last.count > 1) throw await ambiguousFailure(state, last)
  throw await notFoundFailure(state, last?.about ?? target, want, deadline.ms, last?.total ?? 0)
}

// True when this sighting is to be taken as the answer, also as the answer "there are several".
async function settled(sighting, want, patience, deadline) {
  const now = performance.now()
  if (sighting.count === 0) return false
  if (sighting.count > 1) {
    patience.manySince ??= now
    return now - patience.manySince >= ambiguityGrace
  }
  patience.manySince = undefined
  if (!(await isWeak(sighting, want))) return true
  patience.weakSince ??= now
  return now - patience.weakSince >= weakMatchGrace || isOver(deadline)
}

async function isWeak({ stage, locator }, want) {
  if (!stage || want === 'see' || want === 'container') return false
  if (!stage.whole) return true
  if (stage.how !== 'text') return false
  const pressable = await locator
    .evaluate(
      (element) =>
        element.closest('a,button,label,summary,option,[onclick],[role],[tabindex]') !== null ||
        getComputedStyle(element).cursor === 'pointer',
      undefined,
      { timeout: 500 },
    )
    .catch(() => false)
  return !pressable
}

// While a page is being replaced its old document cannot be asked: that is "not yet", not a failure.
async function lookSafely(state, target, want) {
  try {
    return await lookFor(state, target, want)
  } catch (error) {
    if (error instanceof StepFailure) throw error
    return undefinedWhilePageChanges(error, target)
  }
}

/** undefined where the page was on its way elsewhere; a StepFailure for a selector that the browser does not take. */
function undefinedWhilePageChanges(error, target) {
  const reason = plainReason(error)
  if (/while parsing|selector|Unexpected token/i.test(reason) && !/frame/i.test(reason)) {
    throw new StepFailure('action', \`\${describeTarget(target)} cannot be looked for: \${reason}\`, {
      hint: 'Backticks hold a CSS selector; quotes hold what a person sees.',
    })
  }
  if (/closed|crashed/i.test(reason)) throw new StepFailure('environment', \`The page was closed or crashed: \${reason}\`)
  return undefined
}

/** How long one try of an action may wait before the target is looked for anew. */
const oneTry = 3000

/** Finds the target and acts on it; looks again where the element went away before the action was performed. */
async function actOn(state, target, want, deadline, perform) {
  for (;;) {
    const locator = await findOne(state, target, want, deadline)
    try {
      return await perform(locator, Math.min(oneTry, timeLeft(deadline)))
    } catch (error) {
      if (error instanceof StepFailure) throw error
      // Once it was performed it is not done again: a slow page must not be clicked twice.
      if (wasClicked(error)) return untilPageAnswers(state, target, deadline)
      if (isOver(deadline) || !mayTryAgain(error)) throw notActionable(target, error, deadline)
    }
    await pause(20)
  }
}

// Playwright's log of the last try says whether the mouse was already pressed and nothing lay in between.
function wasClicked(error) {
  if (!isTimeout(error) || !(error instanceof Error)) return false
  const lastTry = error.message.split(/retrying \\w+ action/).at(-1)
  return /performing (click|dblclick) action/.test(lastTry) && !lastTry.includes('intercepts pointer events')
}

async function untilPageAnswers(state, target, deadline) {
  const answer = currentPage(state)
    .evaluate(() => true)
    .catch(() => true)
  if (await boundedBy(answer, timeLeft(deadline), () => false)) return
  throw new StepFailure('action', \`\${describeTarget(target)} was clicked, and the page has not answered since.\`, {
    expected: \`an answer within \${inWords(deadline.ms)}\`,
    actual: 'its script still runs',
  })
}

function mayTryAgain(error) {
  const text = error instanceof Error ? error.message : ''
  if (text.includes('strict mode violation') || text.includes('not attached')) return true
  return isTimeout(error) && !text.includes('performing')
}

const knownReasons = [
  [/element is not enabled/, 'it is disabled'],
  [/element is not editable/, 'it is read-only'],
  [/<[^>]*>[^\\n]*intercepts pointer events/, 'something else lies over it'],
  [/element is not stable/, 'it keeps moving'],
  [/element is not visible/, 'it is not visible'],
  [/outside of the viewport/, 'it cannot be scrolled into view'],
  [/waiting for .* to be visible/, 'it did not become ready'],
]

function notActionable(target, error, deadline) {
  const text = error instanceof Error ? error.message : ''
  const known = knownReasons.find(([mark]) => mark.test(text))
  const cover = /(<[^>]*>)[^\\n]*intercepts pointer events/.exec(text)?.[1]
  const reason = known ? known[1] + (cover ? \` (\${cover})\` : '') : plainReason(error)
  return new StepFailure('action', \`\${describeTarget(target)} is there, but \${reason}.\`, {
    expected: \`to act on it within \${deadline.ms} ms\`,
    actual: reason,
  })
}

async function clickOn(state, step, deadline) {
  const { button, count } = step
  await actOn(state, step.target, 'click', deadline, (locator, timeout) =>
    count === 2 ? locator.dblclick({ button, timeout }) : locator.click({ button, timeout }),
  )
}

async function pressKey(state, key, target, deadline) {
  try {
    if (!target) return await currentPage(state).keyboard.press(key)
    await actOn(state, target, 'see', deadline, (locator, timeout) => locator.focus({ timeout }))
    await (await findOne(state, target, 'see', deadline)).press(key, { timeout: timeLeft(deadline) })
  } catch (error) {
    if (!plainReason(error).includes('Unknown key')) throw error
    throw new StepFailure('action', \`"\${key}" is no key.\`, {
      hint: 'Keys are Enter, Tab, Escape, ArrowDown, a, A, Control+A …',
    })
  }
}

async function dragOnto(state, from, onto, deadline) {
  const destination = await findOne(state, onto, 'click', deadline)
  await actOn(state, from, 'click', deadline, (locator, timeout) => locator.dragTo(destination, { timeout }))
}

/** Steps act inside the frame from now on; frames within frames are reached one by one. */
async function switchFrame(state, target, deadline) {
  const element = await findOne(state, target, 'frame', deadline)
  const isFrame = await element.evaluate((one) => /^I?FRAME$/.test(one.tagName), undefined, {
    timeout: timeLeft(deadline),
  })
  if (!isFrame) throw new StepFailure('action', \`\${describeTarget(target)} is not a frame.\`)
  state.frame = element.contentFrame()
}

/** Clicks, waits for the file and keeps it under a name. */
async function downloadFile(state, target, deadline) {
  const seen = await downloadCausedBy(state, target, deadline)
  const failure = await seen.failure()
  if (failure) throw new StepFailure('action', \`The download of \${seen.suggestedFilename()} failed: \${failure}\`)
  return { fileName: seen.suggestedFilename(), download: seen }
}

// Listens before the click, and on every tab: a link that opens a new one downloads there.
async function downloadCausedBy(state, target, deadline) {
  const seen = []
  const notice = (download) => void seen.push(download)
  const watch = (page) => void page.on('download', notice)
  state.context.pages().forEach(watch)
  state.context.on('page', watch)
  try {
    await actOn(state, target, 'click', deadline, (locator, timeout) => locator.click({ timeout }))
    const download = await pollUntil(deadline, () => seen[0], 'local')
    if (download) return download
  } finally {
    state.context.off('page', watch)
    for (const page of state.context.pages()) page.off('download', notice)
  }
  throw new StepFailure('action', \`No download began after clicking \${describeTarget(target)}.\`, {
    expected: 'a download',
    actual: 'none',
  })
}

/** Looks until it holds (or, negated, until it does not). Returns the last verdict, which is then the right one or the reason. */
async function lookUntil(deadline, negated, look) {
  let last = { holds: false, actual: 'the page did not answer' }
  const passed = await pollUntil(deadline, async () => {
    const verdict = await lookOnce(look)
    if (verdict) last = verdict
    return verdict && !verdict.undecided && verdict.holds !== negated ? true : undefined
  })
  return { ...last, passed: passed === true }
}

// Between two documents there is nothing to look at: that is no verdict.
async function lookOnce(look) {
  try {
    return await look()
  } catch (error) {
    if (error instanceof StepFailure) throw error
    return undefinedWhilePageChanges(error, { by: 'name', name: 'page' })
  }
}

/** The failure for an undecided verdict: what is missing, or what there are several of. */
async function undecidedFailure(state, sighting, want, deadline) {
  const failure =
    sighting.count > 1
      ? await ambiguousFailure(state, sighting)
      : await notFoundFailure(state, sighting.about, want, deadline.ms, sighting.total)
  return new StepFailure('assertion', failure.message, failure)
}

/** Asks about one element, visible or else hidden. */
async function askElement(state, target, want, deadline, ask) {
  let sighting = await lookFor(state, target, want)
  if (sighting.count === 0) sighting = await lookFor(state, target, want, false)
  if (sighting.count !== 1)
    return { holds: false, actual: sighting.count === 0 ? 'not found' : \`\${sighting.count} found\`, undecided: sighting }
  return ask(sighting.locator, isOver(deadline) ? 500 : Math.min(1000, timeLeft(deadline)))
}

const wantForState = { checked: 'check', unchecked: 'check', empty: 'value' }

function wantOfState(state) {
  return wantForState[state] ?? 'see'
}

/** Is the target in that state? Visible and hidden are questions about what is there; all others about one element. */
async function stateHolds(state, target, wanted, deadline) {
  if (wanted === 'visible' || wanted === 'hidden') return visibilityHolds(state, target, wanted)
  if (wanted === 'empty') return emptyHolds(state, target, deadline)
  return askElement(state, target, wantOfState(wanted), deadline, async (locator, timeout) => {
    if (wanted === 'focused') {
      const focused = await locator.evaluate(hasFocus, undefined, { timeout })
      return { holds: focused, actual: focused ? 'focused' : 'not focused' }
    }
    if (wanted === 'enabled' || wanted === 'disabled') {
      const actual = (await locator.isEnabled({ timeout })) ? 'enabled' : 'disabled'
      return { holds: actual === wanted, actual }
    }
    const actual = (await checkedNow(locator, timeout, target)) ? 'checked' : 'unchecked'
    return { holds: actual === wanted, actual }
  })
}

async function checkedNow(locator, timeout, target) {
  try {
    return await locator.isChecked({ timeout })
  } catch (error) {
    if (!plainReason(error).includes('Not a checkbox')) throw error
    throw new StepFailure('assertion', \`\${describeTarget(target)} is nothing that can be checked.\`, {
      expected: 'a checkbox, a radio button or a switch',
      actual: 'another kind of element',
    })
  }
}

// Runs in the page.
function hasFocus(element) {
  const root = element.getRootNode()
  return root.activeElement === element || element.matches(':focus')
}

async function visibilityHolds(state, target, wanted) {
  const sighting = await lookFor(state, target, 'see')
  if (wanted === 'visible' && sighting.count > 1)
    return { holds: false, actual: \`\${sighting.count} of them are visible\`, undecided: sighting }
  const actual = sighting.count > 0 ? 'visible' : 'not visible'
  return { holds: wanted === 'visible' ? sighting.count === 1 : sighting.count === 0, actual }
}

// An empty box has no size, so it counts also where it cannot be seen. A field by that name goes before other things.
async function emptyHolds(state, target, deadline) {
  const field = target.by === 'name' ? await lookFor(state, target, 'value') : undefined
  const want = field && field.count > 0 ? 'value' : 'see'
  return askElement(state, target, want, deadline, async (locator, timeout) => {
    const text = await locator.evaluate(contentOf, undefined, { timeout })
    return { holds: text.trim() === '', actual: text.trim() === '' ? 'empty' : \`"\${text.trim()}"\` }
  })
}

// Runs in the page.
function contentOf(element) {
  const field =
    element instanceof HTMLInputElement ||
    element instanceof HTMLTextAreaElement ||
    element instanceof HTMLSelectElement
  return field ? element.value : (element.textContent ?? '')
}

/** Is the text to be seen anywhere? Several places are fine. */
async function textHolds(state, text, wanted) {
  const shown = currentRoot(state).getByText(text).filter({ visible: true })
  const visible = (await shown.count()) > 0
  return { holds: visible === (wanted === 'visible'), actual: visible ? 'visible' : 'not visible' }
}

/** How many visible elements the target names now. */
async function countNow(state, target) {
  const sighting = await lookFor(state, target, 'see')
  return sighting.about === target ? Math.max(sighting.count, chosen(target) ? 0 : sighting.total) : 0
}

function chosen(target) {
  return target.nth !== undefined || target.first === true || target.last === true
}

/** \`$.a.b[0].c\` and \`$["a b"]\`: the keys, or undefined where the path is not one. */
function jsonPathKeys(path) {
  const keys = []
  let rest = path.startsWith('$') ? path.slice(1) : \`.\${path}\`
  while (rest !== '') {
    const end = rest[0] === '[' ? bracketEnd(rest) : dotEnd(rest)
    if (end < (rest[0] === '[' ? 3 : 2)) return undefined
    const key = rest[0] === '[' ? rest.slice(1, end - 1) : rest.slice(1, end)
    keys.push(/^(["']).*\\1$/s.test(key) && key.length > 1 ? key.slice(1, -1) : key)
    rest = rest.slice(end)
  }
  return keys
}

function bracketEnd(text) {
  const quote = text[1]
  if (quote !== '"' && quote !== "'") return text.indexOf(']') + 1
  const close = text.indexOf(\`\${quote}]\`, 2)
  return close < 0 ? 0 : close + 2
}

function dotEnd(text) {
  if (text[0] !== '.') return 0
  const ends = ['.', '['].map((mark) => text.indexOf(mark, 1)).filter((at) => at > 0)
  return Math.min(text.length, ...ends)
}

/** What stands at the path; \`length\` of a list is its number. undefined where nothing does. */
function readJsonPath(value, keys) {
  let here = value
  for (const key of keys) {
    if (here === null || typeof here !== 'object') return undefined
    // Own properties only: \`$.constructor\` is not a field of any answer.
    if (!Object.hasOwn(here, key)) return undefined
    here = here[key]
  }
  return here
}

/** A JSON value as a scenario writes it: text as it is, everything else as JSON. */
function jsonAsText(value) {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}

/** Looks until the assertion holds. Throws with expected and actual where it never does. */
async function settleQuestion(state, step, question, deadline) {
  const verdict = await lookUntil(deadline, step.negated, question.look)
  const expected = step.negated ? \`not: \${question.expected}\` : question.expected
  if (verdict.passed) return
  if (verdict.undecided) throw await undecidedFailure(state, verdict.undecided, question.want, deadline)
  throw new StepFailure('assertion', \`Expected \${expected}, but it is \${verdict.actual}.\`, {
    expected,
    actual: verdict.actual,
  })
}

/** \`is\` is whole, \`contains\` a part, both with white space folded. */
function textCompares(match, actual, wanted) {
  return match === 'contains' ? foldSpace(actual).includes(foldSpace(wanted)) : foldSpace(actual) === foldSpace(wanted)
}

function pageQuestion(state, one, deadline) {
  switch (one.subject) {
    case 'text': {
      const text = textOf(state, one.value)
      return {
        expected: \`the text "\${text}" is \${one.state}\`,
        want: 'see',
        look: () => textHolds(state, text, one.state),
      }
    }
    case 'state':
      return {
        expected: \`\${describeTarget(one.target)} is \${one.state}\`,
        want: wantOfState(one.state),
        look: () => stateHolds(state, one.target, one.state, deadline),
      }
    case 'count':
      return countQuestion(state, one)
    case 'content':
      return contentQuestion(state, one, deadline)
    case 'attribute':
    case 'class':
      return attributeQuestion(state, one, deadline)
    case 'aria':
      return ariaQuestion(state, one.target, one.snapshot, deadline)
    case 'url':
      return urlQuestion(state, one.match, textOf(state, one.value))
    case 'title':
      return titleQuestion(state, one.match, textOf(state, one.value))
  }
}

function countQuestion(state, one) {
  const holds = {
    exactly: (n) => n === one.count,
    at_least: (n) => n >= one.count,
    at_most: (n) => n <= one.count,
  }
  const words = { exactly: 'exactly', at_least: 'at least', at_most: 'at most' }
  const look = async () => {
    const count = await countNow(state, one.target)
    return { holds: holds[one.compare](count), actual: \`\${count}\` }
  }
  return { expected: \`\${words[one.compare]} \${one.count} \${describeTarget(one.target)}\`, want: 'see', look }
}

function contentQuestion(state, one, deadline) {
  const wanted = textOf(state, one.value)
  const want = one.what === 'value' ? 'value' : 'see'
  const look = () =>
    askElement(state, one.target, want, deadline, async (locator, timeout) => {
      const texts = await locator.evaluate(one.what === 'value' ? valuesOf : textsOf, undefined, { timeout })
      return {
        holds: texts.some((text) => textCompares(one.match, text, wanted)),
        actual: \`"\${foldSpace(texts[0] ?? '')}"\`,
      }
    })
  const verb = one.match === 'is' ? 'has' : 'contains'
  return { expected: \`\${describeTarget(one.target)} \${verb} the \${one.what} "\${wanted}"\`, want, look }
}

// Runs in the page. What is shown first; what stands in the document counts as well, because CSS may change its case.
function textsOf(element) {
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return [element.value]
  // innerText: what is rendered is what is asked about
  return [element.innerText ?? element.textContent ?? '', element.textContent ?? '']
}

// Runs in the page. Of a list both the value and what a person reads of it.
function valuesOf(element) {
  if (element instanceof HTMLSelectElement) {
    const chosen = [...element.selectedOptions]
    return [chosen.map((option) => option.value).join(', '), chosen.map((option) => option.label).join(', ')]
  }
  const field = element instanceof HTMLLabelElement ? element.control : element
  if (field && 'value' in field) return [String(field.value)]
  return [element.getAttribute('aria-valuetext') ?? element.getAttribute('aria-valuenow') ?? element.textContent ?? '']
}

function attributeQuestion(state, one, deadline) {
  const wanted = textOf(state, one.value)
  const name = one.subject === 'class' ? 'class' : one.attribute
  const look = () =>
    askElement(state, one.target, 'see', deadline, async (locator, timeout) => {
      const actual = await locator.getAttribute(name, { timeout })
      const classes = (actual ?? '').split(/\\s+/)
      const holds =
        one.subject === 'class' ? wanted.split(/\\s+/).every((part) => classes.includes(part)) : actual === wanted
      return { holds, actual: actual === null ? \`without \${name}\` : \`"\${actual}"\` }
    })
  const what = one.subject === 'class' ? 'the class' : \`the attribute \${name}\`
  return { expected: \`\${describeTarget(one.target)} has \${what} "\${wanted}"\`, want: 'see', look }
}

function ariaQuestion(state, target, snapshot, deadline) {
  const template = readTemplate(snapshot)
  const look = () =>
    askElement(state, target, 'see', deadline, async (locator, timeout) => {
      const actual = await locator.ariaSnapshot({ timeout })
      return { holds: ariaMatches(template, parseAria(actual)), actual: \`\\n\${actual}\` }
    })
  return { expected: \`\${describeTarget(target)} matches aria\\n\${snapshot}\\n\`, want: 'see', look }
}

function readTemplate(snapshot) {
  try {
    return parseAria(snapshot)
  } catch (error) {
    throw new StepFailure('action', error instanceof Error ? error.message : String(error))
  }
}

/** Does the page's URL match? */
function urlQuestion(state, match, wanted) {
  const look = () => {
    const url = currentPage(state).url()
    const holds =
      match === 'contains' ? url.includes(wanted) : match === 'is' ? urlIs(wanted, url) : urlMatches(wanted, url)
    return { holds, actual: comparedUrl(wanted, url) }
  }
  return { expected: \`the URL \${match} \${wanted}\`, want: 'see', look }
}

function titleQuestion(state, match, wanted) {
  const look = async () => {
    const title = await currentPage(state).title()
    return { holds: textCompares(match, title, wanted), actual: \`"\${title}"\` }
  }
  return { expected: \`the title \${match} "\${wanted}"\`, want: 'see', look }
}

/** The value at a path of the last answer, as text. */
function answerAt(state, path) {
  const keys = jsonPathKeys(path)
  if (!keys) throw new StepFailure('action', \`"\${path}" is not a path.\`, { hint: 'Write it as $.order.items[0].name.' })
  const answer = answerOf(state.traffic)
  let body
  try {
    body = JSON.parse(answer.body)
  } catch {
    throw new StepFailure('assertion', \`\${answer.method} \${answer.url} did not answer with JSON.\`, {
      expected: 'JSON',
      actual: answer.body === '' ? 'an empty body' : answer.body.slice(0, 10_000),
    })
  }
  const value = readJsonPath(body, keys)
  return { found: value !== undefined, value, text: jsonAsText(value) }
}

/** Sets what the page lives in: network faults, clock, storage, device. */
async function setCondition(state, step) {
  const { context, faults } = state
  switch (step.verb) {
    case 'inject_error': {
      const answer = {
        status: step.status,
        body: \`{"error":"injected \${step.status}"}\`,
        contentType: 'application/json',
      }
      return addFault(context, faults, { ...faultOf(state, step), answer })
    }
    case 'respond': {
      const answer = { status: step.status, body: textOf(state, step.body), contentType: step.content_type }
      return addFault(context, faults, { ...faultOf(state, step), answer })
    }
    case 'inject_latency':
      return addFault(context, faults, { ...faultOf(state, step), delayMs: step.ms })
    case 'offline':
    case 'online':
      return setOffline(context, faults, step.verb === 'offline')
    case 'set_clock':
    case 'advance_clock':
      return moveClock(state, step)
    case 'set_cookie':
      return setCookie(state, step.key, textOf(state, step.value))
    case 'set_header':
      state.headers[step.key] = textOf(state, step.value)
      return context.setExtraHTTPHeaders(state.headers)
    case 'set_local_storage':
      return setLocalStorage(state, step.key, textOf(state, step.value))
    case 'set_geolocation':
      await context.grantPermissions(['geolocation'])
      return context.setGeolocation({ latitude: step.latitude, longitude: step.longitude })
    case 'set_color_scheme':
      return setColorScheme(state, step.scheme)
    case 'allow':
      return allowPermission(state, step.permission)
  }
}

function faultOf(state, step) {
  return { method: step.method, pattern: textOf(state, step.pattern), times: step.times ?? Number.POSITIVE_INFINITY }
}

// Jumping, not running through: two days of a 100 ms interval would take ten seconds.
async function moveClock(state, step) {
  const { clock } = state.context
  if (step.verb === 'set_clock') {
    const toMs = Date.parse(step.at)
    if (Number.isNaN(toMs)) throw new StepFailure('action', \`"\${step.at}" is not a time such as 2026-01-31T10:00:00Z.\`)
    await clock.setSystemTime(toMs)
    await state.environment.moveCloneClock?.({ toMs })
  } else {
    await clock.fastForward(step.ms)
    await state.environment.moveCloneClock?.({ byMs: step.ms })
  }
}

async function setCookie(state, name, value) {
  try {
    await state.context.addCookies([{ name, value, url: state.environment.baseUrl }])
  } catch (error) {
    throw new StepFailure('action', \`The cookie "\${name}" cannot be set: \${plainReason(error)}\`)
  }
}

// Where no page of the app is open there is no storage to write to yet: it is written before the app's first script.
async function setLocalStorage(state, key, value) {
  const { origin } = new URL(state.environment.baseUrl)
  const open = state.context.pages().find((page) => URL.canParse(page.url()) && new URL(page.url()).origin === origin)
  if (open) return open.evaluate(([name, text]) => localStorage.setItem(name, text), [key, value])
  const page = currentPage(state)
  const script = await page.addInitScript(storeOnce, { origin, key, value })
  const finish = () => {
    if (!URL.canParse(page.url()) || new URL(page.url()).origin !== origin) return
    page.off('domcontentloaded', finish)
    // Once only: what the app writes later is its own. Older Playwright has no way to take the script back.
    script?.dispose?.().catch(() => {})
  }
  page.on('domcontentloaded', finish)
}

// Runs in the page, before its own scripts.
function storeOnce({ origin, key, value }) {
  if (location.origin !== origin || window !== window.top) return
  localStorage.setItem(key, value)
}

async function setColorScheme(state, colorScheme) {
  for (const page of state.context.pages()) await page.emulateMedia({ colorScheme })
  state.context.on('page', (page) => {
    page.emulateMedia({ colorScheme }).catch(() => {})
  })
}

async function allowPermission(state, permission) {
  try {
    await state.context.grantPermissions([permission])
  } catch (error) {
    throw new StepFailure('action', \`"\${permission}" cannot be allowed: \${plainReason(error)}\`, {
      hint: 'Known are geolocation, notifications, camera, microphone, clipboard-read, clipboard-write and others of the browser.',
    })
  }
}

/** Sets a field's value at once. */
async function fillField(state, target, value, deadline) {
  const text = textOf(state, value)
  await actOn(state, target, 'fill', deadline, async (locator, timeout) => {
    await hideSecret(state, locator, value)
    const page = currentPage(state)
    const dates = unseen(page, () => locator.and(page.locator(dateFields)).count()).catch(() => 0)
    await refuseBadValue(target, () => locator.fill(text, { timeout }))
    // Asking a field's value loads Playwright's script into the page once more: only dates are worth it.
    if (text === '' || (await dates) === 0) return
    if (await locator.evaluateAll(refusedDates).catch(() => false)) throw badValue(target)
  })
}

/** Types key by key into a field, or where the focus is. */
async function typeText(state, target, value, deadline) {
  const text = textOf(state, value)
  if (!target) {
    await hideSecret(state, currentPage(state).locator('css=:focus'), value)
    return currentPage(state).keyboard.type(text)
  }
  // Found and focused first: half-typed text must never be typed again by another try.
  await actOn(state, target, 'fill', deadline, (locator, timeout) => locator.focus({ timeout }))
  const locator = await findOne(state, target, 'fill', deadline)
  await hideSecret(state, locator, value)
  await locator.pressSequentially(text, { timeout: timeLeft(deadline) })
}

/** Before the value is typed: the host hides the field from its pictures first. */
async function hideSecret(state, locator, value) {
  const secrets = secretsIn(value)
  if (secrets.length === 0) return
  state.secretFields.push(locator)
  await state.environment.onEvent?.({ kind: 'secret_filled', locator, secrets })
}

/** Fields that, given "tomorrow", stay empty without a word. */
const dateFields = 'css=input:is([type=date i],[type=time i],[type=datetime-local i],[type=month i],[type=week i])'

// Runs in the page.
function refusedDates(fields) {
  return fields.some((field) => field instanceof HTMLInputElement && field.value === '')
}

function badValue(target) {
  return new StepFailure('action', \`\${describeTarget(target)} does not take a value of that form.\`, {
    hint: 'Dates are 2026-01-31, times 10:30, months 2026-01, colours #a1b2c3.',
  })
}

// What a field refuses it refuses for good: waiting does not mend it.
async function refuseBadValue(target, fill) {
  try {
    await fill()
  } catch (error) {
    const text = error instanceof Error ? error.message : ''
    if (/Malformed value/.test(text)) throw badValue(target)
    if (/Cannot type text into input\\[type=number\\]/.test(text)) {
      throw new StepFailure('action', \`\${describeTarget(target)} takes only a number.\`)
    }
    throw error
  }
}

async function setChecked(state, target, checked, deadline) {
  await actOn(state, target, 'check', deadline, (locator, timeout) => locator.setChecked(checked, { timeout }))
}

/** Chooses by what a person reads; of a native list or of one made of ARIA roles. */
async function selectValues(state, target, values, deadline) {
  const wanted = values.map((value) => textOf(state, value))
  const list = await findOne(state, target, 'select', deadline)
  const native = await list.evaluate((element) => element.tagName === 'SELECT', undefined, {
    timeout: timeLeft(deadline),
  })
  if (!native) return selectFromMadeList(state, target, wanted, deadline)
  let choices = []
  const picked = await pollUntil(deadline, async () => {
    choices = await list.evaluate(choicesOf, undefined, { timeout: timeLeft(deadline) })
    return pickChoices(choices, wanted)
  })
  if (!picked) throw noSuchChoice(target, wanted, choices)
  const asked = picked.map(({ value, label }) => ({ value, label }))
  await actOn(state, target, 'select', deadline, async (locator, timeout) => {
    await locator.selectOption(asked, { timeout })
  })
}

// Runs in the page.
function choicesOf(element) {
  return [...element.options].map(({ value, label, disabled }) => ({ value, label, disabled }))
}

function pickChoices(choices, wanted) {
  const usable = choices.filter((choice) => !choice.disabled)
  const picked = wanted.map((text) => {
    const whole = usable.filter((choice) => foldText(choice.label) === foldText(text))
    if (whole[0]) return whole[0]
    const byValue = usable.find((choice) => choice.value === text)
    const part = usable.filter((choice) => foldText(choice.label).includes(foldText(text)))
    return byValue ?? (part.length === 1 ? part[0] : undefined)
  })
  return picked.every((choice) => choice !== undefined) ? picked : undefined
}

function noSuchChoice(target, wanted, choices) {
  const offered = choices.map((choice) => \`"\${choice.label}"\${choice.disabled ? ' (disabled)' : ''}\`)
  return new StepFailure(
    'action',
    \`\${describeTarget(target)} does not offer \${wanted.map((one) => \`"\${one}"\`).join(', ')}.\`,
    {
      expected: wanted.join(', '),
      actual: offered.slice(0, 20).join(', ') || 'no choices',
      candidates: choices
        .slice(0, 5)
        .map(({ label }) => ({ description: label, locator: \`"\${label}"\`, why: 'can be chosen' })),
    },
  )
}

async function selectFromMadeList(state, target, wanted, deadline) {
  for (const name of wanted) {
    const open = await findOne(state, target, 'select', deadline)
    const isList = (await open.getAttribute('role', { timeout: timeLeft(deadline) })) === 'listbox'
    if (!isList && (await open.getAttribute('aria-expanded', { timeout: timeLeft(deadline) })) !== 'true') {
      await actOn(state, target, 'select', deadline, (locator, timeout) => locator.click({ timeout }))
    }
    // The list itself often hangs at the end of the page, not inside what opens it.
    const option = { by: 'role', role: 'option', name, ...(isList ? { within: target } : {}) }
    await actOn(state, option, 'click', deadline, (locator, timeout) => locator.click({ timeout }))
  }
}

/** Gives a file to a file field, or to the file chooser that a click on the target opens. */
async function uploadFile(state, target, name, deadline) {
  const file = await readUpload(state, name)
  const locator = await findOne(state, target, 'file', deadline)
  const isField = await locator.evaluate(takesFile, undefined, { timeout: timeLeft(deadline) })
  if (isField) return locator.setInputFiles(file, { timeout: timeLeft(deadline) })
  const chooser = currentPage(state).waitForEvent('filechooser', { timeout: timeLeft(deadline) })
  chooser.catch(() => {})
  await locator.click({ timeout: timeLeft(deadline) })
  try {
    await (await chooser).setFiles(file)
  } catch {
    throw new StepFailure(
      'action',
      \`\${describeTarget(target)} takes no file: it is no file field, and no file chooser opened.\`,
    )
  }
}

// Runs in the page. A label stands for its field.
function takesFile(element) {
  const field = element instanceof HTMLLabelElement ? element.control : element
  return field instanceof HTMLInputElement && field.type === 'file'
}

async function readUpload(state, name) {
  try {
    return await state.environment.files(name)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StepFailure('environment', \`The file "\${name}" cannot be read: \${reason}\`)
  }
}

/** A page that keeps loading for ever is used after this long. */
const settleMs = 2000
/** A page that an action asked for is waited for this long. */
const pageMs = 5000

const networkReasons = [
  ['ERR_CONNECTION_REFUSED', 'nothing listens there (connection refused)'],
  ['ERR_NAME_NOT_RESOLVED', 'its name cannot be resolved'],
  ['ERR_CERT_', 'its certificate is not trusted'],
  ['ERR_SSL_', 'the secure connection failed'],
  ['ERR_CONNECTION_RESET', 'the connection was reset'],
  ['ERR_CONNECTION_CLOSED', 'the connection was closed without an answer'],
  ['ERR_TUNNEL_CONNECTION_FAILED', 'no connection to it was made'],
  ['ERR_EMPTY_RESPONSE', 'it closed the connection without an answer'],
  ['ERR_CONNECTION_TIMED_OUT', 'it did not answer'],
  ['ERR_TIMED_OUT', 'it did not answer'],
  ['ERR_ADDRESS_UNREACHABLE', 'its address cannot be reached'],
  ['ERR_NETWORK_CHANGED', 'the network changed meanwhile'],
  ['ERR_INTERNET_DISCONNECTED', 'the browser is offline'],
  ['ERR_TOO_MANY_REDIRECTS', 'it redirects in a circle'],
  ['ERR_BLOCKED_BY_CLIENT', 'this run may not go there (origin not allowed)'],
  ['ERR_UNSAFE_PORT', 'browsers refuse that port'],
  ['ERR_INVALID_URL', 'it is not a URL'],
  ['invalid URL', 'it is not a URL'],
]

/** An absolute URL, from a path on the base URL's origin or an http(s) URL. */
function absoluteUrl(state, written) {
  const url = URL.canParse(written, state.environment.baseUrl) ? new URL(written, state.environment.baseUrl) : undefined
  if (!url) throw new StepFailure('environment', \`"\${written}" is not a URL, and there is no base URL to read it by.\`)
  if (!['http:', 'https:', 'about:'].includes(url.protocol)) {
    throw new StepFailure('action', \`\${url.protocol} addresses are not opened; only http and https are.\`)
  }
  return url.href
}

async function navigateTo(state, written, deadline) {
  const url = absoluteUrl(state, written)
  state.frame = undefined
  await mayOpen(state, url)
  await pageUnderWay(state, deadline)
  const open = () => currentPage(state).goto(url, { waitUntil: 'domcontentloaded', timeout: timeLeft(deadline) })
  // A page that came in between is there by now: this one follows it.
  const isBetween = (error) => error.message.includes('interrupted by another navigation')
  await go(state, url, deadline, () => open().catch((error) => (isBetween(error) ? open() : Promise.reject(error))))
  await mayOpen(state, currentPage(state).url())
}

/**
 * Where the action before has sent a form that signs in, its answer brings the cookie: to go on before it has come would
 * take it back.
 */
async function pageUnderWay({ pages, traffic }, deadline) {
  const main = pages.current.mainFrame()
  await untilAnswered(traffic, Math.min(pageMs, timeLeft(deadline) / 2), ({ request }) => {
    try {
      return request.isNavigationRequest() && request.frame() === main
    } catch {
      return false // of a service worker, or of a tab that is not there yet
    }
  })
}

/** Before, to say so at once; after, because a redirect may have led elsewhere and what then shows is only the refusal. */
async function mayOpen(state, url) {
  if (!/^https?:/.test(url)) return
  try {
    await state.environment.allowRequest?.(url)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StepFailure('environment', \`\${url} may not be opened: \${reason}\`, { expected: 'a page', actual: reason })
  }
}

async function moveInHistory(state, verb, deadline) {
  const page = currentPage(state)
  const before = page.url()
  state.frame = undefined
  const options = { waitUntil: 'domcontentloaded', timeout: timeLeft(deadline) }
  const move = {
    back: () => page.goBack(options),
    forward: () => page.goForward(options),
    reload: () => page.reload(options),
  }
  const response = await go(state, before, deadline, move[verb])
  if (verb !== 'reload' && response === null && page.url() === before) {
    throw new StepFailure('action', \`There is no page to go \${verb} to.\`, {
      expected: 'another page',
      actual: \`still at \${before}\`,
    })
  }
}

async function go(state, url, deadline, move) {
  try {
    const response = await move()
    const timeout = Math.min(settleMs, timeLeft(deadline))
    await currentPage(state)
      .waitForLoadState('load', { timeout })
      .catch(() => {})
    return response
  } catch (error) {
    throw navigationFailure(state, url, error, deadline)
  }
}

function navigationFailure(state, url, error, deadline) {
  const text = error instanceof Error ? error.message : String(error)
  const known = networkReasons.find(([mark]) => text.includes(mark))
  if (isTimeout(error)) {
    return new StepFailure('environment', \`\${url} did not answer within \${inWords(deadline.ms)}.\`, {
      expected: 'a page',
      actual: 'no answer in time',
    })
  }
  if (text.includes('Download is starting')) {
    return new StepFailure('action', \`\${url} is a download, not a page.\`, {
      hint: 'Use \`Download by clicking <target> as name\`.',
    })
  }
  if (text.includes('ERR_ABORTED')) {
    return new StepFailure(
      'action',
      \`The navigation to \${url} was given up: another one began, or the answer has no content.\`,
    )
  }
  // Who takes the network away must expect this; it is no trouble of the environment.
  const kind = state.faults.offline ? 'action' : 'environment'
  const reason = known?.[1] ?? plainReason(error)
  return new StepFailure(kind, \`\${url} cannot be opened: \${reason}.\`, { expected: 'a page', actual: reason })
}

/** Taking a picture right after a click that navigates can hang in Chromium. */
const pictureMs = 1500

/** A picture for the record. Only a target that is not there fails the step; a picture that does not come is logged. */
async function takePicture(state, step, deadline) {
  const { onEvent, mask } = state.environment
  const page = currentPage(state)
  const hidden = [page.locator('css=input[type=password]'), ...state.secretFields, ...(mask?.(page) ?? [])]
  const options = { mask: hidden, timeout: pictureMs }
  const subject = step.of ? await findOne(state, step.of, 'see', deadline) : undefined
  try {
    const png = subject
      ? await subject.screenshot(options)
      : await page.screenshot({ ...options, fullPage: step.full_page ?? false })
    onEvent?.({ kind: 'screenshot', step_id: step.step_id, ...labelOf(step), png })
  } catch (error) {
    onEvent?.({ kind: 'log', message: \`The screenshot was not taken: \${plainReason(error)}\` })
  }
}

/** What the page says to those who cannot see it, for the record. */
async function takeSnapshot(state, step) {
  const { onEvent } = state.environment
  try {
    const aria = await currentRoot(state).locator('css=body').ariaSnapshot({ timeout: pictureMs })
    onEvent?.({ kind: 'snapshot', step_id: step.step_id, ...labelOf(step), aria })
  } catch (error) {
    onEvent?.({ kind: 'log', message: \`The snapshot was not taken: \${plainReason(error)}\` })
  }
}

function labelOf(step) {
  const label = step.label ?? step.options.name
  return label === undefined ? {} : { label }
}

/** Assertions about what was recorded: statuses, answers, downloads, complaints, values and clones. */
function recordQuestion(state, one, records) {
  switch (one.subject) {
    case 'page_status':
      return statusQuestion(\`the page status is \${one.status}\`, one.status, () => records.pageStatus(state))
    case 'response_status':
      return statusQuestion(\`the response status is \${one.status}\`, one.status, () => answerOf(state.traffic).status)
    case 'response_path':
      return answerQuestion(state, one.path, one.match, textOf(state, one.value))
    case 'download':
      return downloadQuestion(records, one.download, one.match, textOf(state, one.value))
    case 'value':
      return valueQuestion(textOf(state, one.left), one.match, textOf(state, one.right))
    case 'no_console_errors':
      return noneQuestion(state, 'console errors', () => consoleErrors(state, records.complaints))
    case 'no_failed_requests':
      return noneQuestion(state, 'failed requests', () => failedRequests(state))
    case 'clone':
      return cloneQuestion(state, one)
  }
}

function statusQuestion(expected, wanted, read) {
  const look = () => {
    const status = read()
    return { holds: status === wanted, actual: status === undefined ? 'unknown: no page was loaded' : String(status) }
  }
  return { expected, want: 'see', look }
}

function answerQuestion(state, path, match, wanted) {
  const look = () => {
    const { found, value, text } = answerAt(state, path)
    const inList =
      match === 'contains' &&
      Array.isArray(value) &&
      value.some((item) => item === wanted || JSON.stringify(item) === wanted)
    return {
      holds: found && (inList || sameJson(match, value, wanted) || textCompares(match, text, wanted)),
      actual: found ? text : 'nothing there',
    }
  }
  return { expected: \`\${path} \${match} \${wanted}\`, want: 'see', look }
}

// \`{"a": 1}\` is the same with other spacing.
function sameJson(match, value, wanted) {
  if (match !== 'is' || value === null || typeof value !== 'object') return false
  try {
    return JSON.stringify(JSON.parse(wanted)) === JSON.stringify(value)
  } catch {
    return false
  }
}

function downloadQuestion({ downloads }, as, match, wanted) {
  const look = () => {
    const kept = downloads.get(as) ?? (as === 'name' ? [...downloads.values()].at(-1) : undefined)
    if (kept) return { holds: textCompares(match, kept.fileName, wanted), actual: \`"\${kept.fileName}"\` }
    throw new StepFailure('assertion', \`There is no download "\${as}".\`, {
      expected: \`a download kept as \${as}\`,
      actual: \`kept: \${[...downloads.keys()].join(', ') || 'none'}\`,
    })
  }
  return { expected: \`the download \${as} \${match} "\${wanted}"\`, want: 'see', look }
}

function valueQuestion(left, match, right) {
  return {
    expected: \`"\${left}" \${match} "\${right}"\`,
    want: 'see',
    look: () => ({ holds: textCompares(match, left, right), actual: \`"\${left}"\` }),
  }
}

function noneQuestion(state, what, list) {
  const look = async () => {
    await hearOut(state)
    const found = list()
    return {
      holds: found.length === 0,
      actual: found.length === 0 ? \`no \${what}\` : \`\${found.length}: \${found.slice(0, 5).join('; ')}\`,
    }
  }
  return { expected: \`no \${what}\`, want: 'see', look }
}

function cloneQuestion(state, one) {
  const { countInClone } = state.environment
  const about = one.for === undefined ? undefined : textOf(state, one.for)
  const what = [one.state, one.noun].filter(Boolean).join(' ')
  const expected = \`the \${one.kind} clone has \${one.count} \${what}\${about === undefined ? '' : \` for \${about}\`}\`
  const look = async () => {
    if (!countInClone)
      throw new StepFailure('environment', \`This run has no clones, so it cannot tell whether \${expected}.\`)
    const question = {
      kind: one.kind,
      noun: one.noun,
      ...(one.state ? { state: one.state } : {}),
      ...(about === undefined ? {} : { for: about }),
    }
    const count = await countInClone(question)
    return { holds: count === one.count, actual: String(count) }
  }
  return { expected, want: 'see', look }
}

const mostRedirects = 10

/** A call beside the page that shares its cookies; its answer becomes the last answer. */
async function makeRequest(state, step, deadline) {
  const url = absoluteUrl(state, textOf(state, step.url))
  const headers = { ...step.headers }
  if (step.body !== undefined && step.content_type) headers['content-type'] = step.content_type
  const asked = { method: step.method.toUpperCase(), url, headers }
  if (step.body !== undefined) asked.data = textOf(state, step.body)
  const started = performance.now()
  const response = await ask(state, asked, deadline)
  const [status, body] = [response.status(), await response.text()]
  state.traffic.lastAnswer = { method: asked.method, url, status, body }
  const duration_ms = Math.round(performance.now() - started)
  state.environment.onEvent?.({ kind: 'request', method: asked.method, url, status, duration_ms })
  if (step.expects === undefined || step.expects === status) return
  throw new StepFailure('assertion', \`\${asked.method} \${url} answered \${status}, not \${step.expects}.\`, {
    expected: \`status \${step.expects}\`,
    actual: \`status \${status}: \${body.slice(0, 10_000)}\`,
  })
}

// Redirects are followed here, one by one, so that each address is asked about: no page route sees these calls.
async function ask(state, first, deadline) {
  let asked = first
  for (let redirects = 0; redirects <= mostRedirects; redirects += 1) {
    await mayAsk(state, asked.url)
    const response = await fetchOnce(state, asked, deadline)
    const location = response.headers().location
    if (![301, 302, 303, 307, 308].includes(response.status()) || location === undefined) return response
    asked = redirected(asked, response.status(), location)
    await response.dispose()
  }
  throw new StepFailure('action', \`\${first.url} redirects more than \${mostRedirects} times.\`)
}

async function mayAsk(state, url) {
  try {
    await state.environment.allowRequest?.(url)
  } catch (error) {
    throw new StepFailure(
      'environment',
      \`This run may not request \${url}: \${error instanceof Error ? error.message : String(error)}\`,
    )
  }
}

function redirected(asked, status, location) {
  const url = new URL(location, asked.url)
  if (!['http:', 'https:'].includes(url.protocol))
    throw new StepFailure('action', \`\${asked.url} redirects to a \${url.protocol} address.\`)
  // What browsers do: 303 becomes GET, and so does a POST that is answered 301 or 302.
  const becomesGet = status === 303 ? asked.method !== 'HEAD' : status < 303 && asked.method === 'POST'
  const sameOrigin = new URL(asked.url).origin === url.origin
  const headers = sameOrigin ? { ...asked.headers } : withoutCredentials(asked.headers)
  if (!becomesGet) return { ...asked, url: url.href, headers }
  delete headers['content-type']
  return { method: 'GET', url: url.href, headers }
}

function withoutCredentials(headers) {
  const kept = Object.entries(headers).filter(([name]) => !['authorization', 'cookie'].includes(name.toLowerCase()))
  return Object.fromEntries(kept)
}

/** In words, what Node says where nobody answers. */
function whyUnanswered(reason) {
  if (/ECONNREFUSED|ECONNRESET|socket hang up|Proxy connection ended/.test(reason))
    return 'nothing answers there (connection refused or cut)'
  if (/ENOTFOUND|EAI_AGAIN/.test(reason)) return 'its name cannot be resolved'
  return reason
}

async function fetchOnce(state, { method, url, headers, data }, deadline) {
  const body = data === undefined ? {} : { data: Buffer.from(data) }
  try {
    const options = { method, headers, ...body, maxRedirects: 0, failOnStatusCode: false, timeout: timeLeft(deadline) }
    return await state.context.request.fetch(url, options)
  } catch (error) {
    const reason = isTimeout(error) ? \`no answer within \${inWords(deadline.ms)}\` : whyUnanswered(plainReason(error))
    throw new StepFailure('environment', \`\${method} \${url} failed: \${reason}.\`, {
      expected: 'an answer',
      actual: reason,
    })
  }
}

function watchPages(context, first, tell) {
  const shelf = { current: first, unvisited: [], earlier: [] }
  const forget = (page) => {
    shelf.unvisited = shelf.unvisited.filter((one) => one !== page)
    shelf.earlier = shelf.earlier.filter((one) => one !== page)
    tell({ kind: 'tab', what: 'closed', url: page.url() })
  }
  first.on('close', forget)
  context.on('page', (page) => {
    shelf.unvisited.push(page)
    page.on('close', forget)
    tell({ kind: 'tab', what: 'opened', url: page.url() })
  })
  return shelf
}

function makeCurrent(state, page) {
  const shelf = state.pages
  shelf.unvisited = shelf.unvisited.filter((one) => one !== page)
  shelf.earlier = shelf.earlier.filter((one) => one !== page)
  if (shelf.current !== page && !shelf.current.isClosed()) shelf.earlier.push(shelf.current)
  shelf.current = page
  state.frame = undefined
}

/** Where the current tab closed itself, the one before it is current again, as in a browser. */
function leaveClosedTab(state) {
  const shelf = state.pages
  if (!shelf.current.isClosed()) return
  const next = shelf.earlier.at(-1) ?? shelf.unvisited.at(-1) ?? state.context.pages().at(-1)
  if (!next) throw new StepFailure('environment', 'The last tab was closed: there is no page left to act on.')
  makeCurrent(state, next)
}

/** The tab that the action before opened, or the one of this title. */
async function switchTab(state, title, deadline) {
  const find = () => (title === undefined ? state.pages.unvisited.at(-1) : tabTitled(state, title))
  const page = await pollUntil(deadline, find, title === undefined ? 'local' : 'page')
  if (!page) throw await noSuchTab(state, title, deadline)
  makeCurrent(state, page)
  await page.waitForLoadState('domcontentloaded', { timeout: timeLeft(deadline) }).catch(() => {})
  await page.bringToFront().catch(() => {})
}

async function tabTitled(state, title) {
  const titles = await titlesOfTabs(state)
  const wanted = foldText(title)
  const whole = titles.filter((one) => foldText(one.title) === wanted)
  const found = whole.length > 0 ? whole : titles.filter((one) => foldText(one.title).includes(wanted))
  if (found.length <= 1) return found[0]?.page
  throw new StepFailure('action', \`\${found.length} tabs are titled "\${title}".\`, {
    candidates: found.map((one) => ({
      description: \`"\${one.title}" at \${one.page.url()}\`,
      locator: \`"\${one.title}"\`,
      why: 'matches as well',
    })),
  })
}

async function titlesOfTabs(state) {
  const read = async (page) => ({ page, title: await page.title().catch(() => '') })
  return Promise.all(state.context.pages().map(read))
}

async function noSuchTab(state, title, deadline) {
  const open = (await titlesOfTabs(state)).map((one) => \`"\${one.title}" at \${one.page.url()}\`)
  const message = title === undefined ? 'No new tab opened' : \`No tab is titled "\${title}"\`
  return new StepFailure('action', \`\${message} (waited \${inWords(deadline.ms)}).\`, {
    expected: 'a tab',
    actual: \`open: \${open.join('; ')}\`,
  })
}

/** Closes the current tab and goes back to the one before it. */
async function closeTab(state, deadline) {
  if (state.context.pages().length < 2)
    throw new StepFailure('action', 'This is the only tab: closing it would end the run.')
  const page = state.pages.current
  await page.close({ runBeforeUnload: false })
  await pollUntil(deadline, () => (page.isClosed() ? true : undefined), 'local')
  leaveClosedTab(state)
}

async function waitStep(state, step, deadline) {
  switch (step.verb) {
    case 'wait_time':
      return pause(step.ms)
    case 'wait_target':
      return waitForTarget(state, step, deadline)
    case 'wait_text': {
      const text = textOf(state, step.value)
      return waitUntilHolds(state, deadline, \`the text "\${text}" to be \${step.state}\`, 'see', () =>
        textHolds(state, text, step.state),
      )
    }
    case 'wait_url': {
      const { expected, look } = urlQuestion(state, step.match, textOf(state, step.pattern))
      return waitUntilHolds(state, deadline, expected, 'see', look)
    }
    case 'wait_request':
      return awaitRequest(state.traffic, { method: step.method, pattern: textOf(state, step.pattern) }, deadline)
    case 'wait_response': {
      const query = { method: step.method, pattern: textOf(state, step.pattern) }
      return awaitResponse(
        state.traffic,
        step.status === undefined ? query : { ...query, status: step.status },
        deadline,
      )
    }
    case 'wait_webhook':
      return waitForWebhook(state, step, deadline)
  }
}

async function waitForTarget(state, step, deadline) {
  const { target, count } = step
  const name = describeTarget(target)
  if (count === undefined) {
    const want = wantOfState(step.state)
    return waitUntilHolds(state, deadline, \`\${name} to be \${step.state}\`, want, () =>
      stateHolds(state, target, step.state, deadline),
    )
  }
  await waitUntilHolds(state, deadline, \`\${count} \${name}\`, 'see', async () => {
    const now = await countNow(state, target)
    return { holds: now === count, actual: String(now) }
  })
}

async function waitUntilHolds(state, deadline, expected, want, look) {
  const verdict = await lookUntil(deadline, false, look)
  if (verdict.passed) return
  const { actual } = verdict
  const details = verdict.undecided ? await undecidedFailure(state, verdict.undecided, want, deadline) : undefined
  const why = details ? \` \${details.message}\` : ''
  throw new StepFailure('action', \`Waited \${inWords(deadline.ms)} for \${expected}, but it is \${actual}.\${why}\`, {
    ...details,
    expected,
    actual,
  })
}

async function waitForWebhook(state, { kind, event }, deadline) {
  const { waitForWebhook: wait } = state.environment
  const name = \`\${kind}.\${event}\`
  if (!wait) throw new StepFailure('environment', \`This run has no clones, so no webhook \${name} can come.\`)
  try {
    await wait({ kind, event, timeoutMs: timeLeft(deadline) })
  } catch (error) {
    throw new StepFailure('action', \`The webhook \${name} did not come: \${plainReason(error)}\`, {
      expected: \`webhook \${name}\`,
      actual: \`none within \${inWords(deadline.ms)}\`,
    })
  }
}

/** One step, whatever its verb. */
async function performStep(state, records, step, deadline) {
  switch (step.verb) {
    case 'navigate':
      return navigateTo(state, textOf(state, step.to), deadline)
    case 'back':
    case 'forward':
    case 'reload':
      return moveInHistory(state, step.verb, deadline)
    case 'click':
      return clickOn(state, step, deadline)
    case 'fill':
      return fillField(state, step.target, step.value, deadline)
    case 'clear':
      return fillField(state, step.target, '', deadline)
    case 'type':
      return typeText(state, step.target, step.value, deadline)
    case 'check':
    case 'uncheck':
      return setChecked(state, step.target, step.verb === 'check', deadline)
    case 'hover':
      return actOn(state, step.target, 'click', deadline, (locator, timeout) => locator.hover({ timeout }))
    case 'focus':
      return actOn(state, step.target, 'click', deadline, (locator, timeout) => locator.focus({ timeout }))
    case 'scroll':
      return actOn(state, step.target, 'see', deadline, (locator, timeout) =>
        locator.scrollIntoViewIfNeeded({ timeout }),
      )
    case 'select':
      return selectValues(state, step.target, step.values, deadline)
    case 'press':
      return pressKey(state, step.key, step.target, deadline)
    case 'drag':
      return dragOnto(state, step.target, step.to, deadline)
    case 'upload':
      return uploadFile(state, step.target, textOf(state, step.file), deadline)
    case 'dialog': {
      const text = step.value === undefined ? undefined : textOf(state, step.value)
      return awaitDialog(state.dialogs, { accept: step.accept, ...(text === undefined ? {} : { text }) }, deadline)
    }
    case 'switch_tab':
      return switchTab(state, step.title === undefined ? undefined : textOf(state, step.title), deadline)
    case 'close_tab':
      return closeTab(state, deadline)
    case 'switch_frame':
      return switchFrame(state, step.target, deadline)
    case 'switch_main':
      state.frame = undefined
      return
    case 'download':
      return keepDownload(state, records, step, deadline)
    case 'wait_time':
    case 'wait_target':
    case 'wait_text':
    case 'wait_url':
    case 'wait_response':
    case 'wait_request':
    case 'wait_webhook':
      return waitStep(state, step, deadline)
    case 'assert':
      return assertStep(state, records, step, deadline)
    case 'remember':
      return rememberValue(state, step, deadline)
    case 'request':
      return makeRequest(state, step, deadline)
    case 'snapshot':
      return takeSnapshot(state, step)
    case 'screenshot':
      return takePicture(state, step, deadline)
    case 'debug':
      state.environment.onEvent?.({ kind: 'debug', step_id: step.step_id })
      return
    default:
      return setCondition(state, step)
  }
}

async function keepDownload(state, records, step, deadline) {
  const kept = await downloadFile(state, step.target, deadline)
  records.downloads.set(step.as, kept)
  state.environment.onEvent?.({ kind: 'download', as: step.as, file_name: kept.fileName, download: kept.download })
}

const recordSubjects = new Set([
  'page_status',
  'response_status',
  'response_path',
  'download',
  'no_console_errors',
  'no_failed_requests',
  'value',
  'clone',
])

async function assertStep(state, records, step, deadline) {
  const question = recordSubjects.has(step.subject)
    ? recordQuestion(state, step, records)
    : pageQuestion(state, step, deadline)
  const event = { kind: 'assertion', step_id: step.step_id, text: step.text }
  try {
    await settleQuestion(state, step, question, deadline)
    state.environment.onEvent?.({ ...event, passed: true, expected: question.expected })
  } catch (error) {
    const { expected, actual } = error instanceof StepFailure ? error : {}
    state.environment.onEvent?.({
      ...event,
      passed: false,
      ...(expected ? { expected } : {}),
      ...(actual ? { actual } : {}),
    })
    throw error
  }
}

async function rememberValue(state, step, deadline) {
  state.remembered[step.as] = await valueToRemember(state, step.from, deadline)
  state.environment.onEvent?.({ kind: 'remembered', name: step.as })
}

async function valueToRemember(state, from, deadline) {
  if (from.what === 'response') {
    const { found, text } = answerAt(state, from.path)
    if (found) return text
    throw new StepFailure('action', \`The last response has nothing at \${from.path}.\`)
  }
  const locator = await findOne(state, from.target, from.what === 'value' ? 'value' : 'see', deadline)
  const texts = await locator.evaluate(from.what === 'value' ? valuesOf : textsOf, undefined, {
    timeout: timeLeft(deadline),
  })
  return from.what === 'text' ? foldSpace(texts[0] ?? '') : (texts[0] ?? '')
}

/** What may make the page send requests, open tabs or dialogs: waits look back to the latest of these. */
const causes = new Set([
  'navigate',
  'back',
  'forward',
  'reload',
  'click',
  'fill',
  'type',
  'clear',
  'check',
  'uncheck',
  'hover',
  'focus',
  'scroll',
  'select',
  'press',
  'drag',
  'upload',
  'download',
  'advance_clock',
  'online',
])

/** Past a step's own time, for what Playwright cannot time out by itself, such as a page whose script never ends. */
const hangSlackMs = 2500

/** Listens from the start, so that later steps can look back; opens a page where there is none. */
async function openSession(context, settings, environment) {
  const told = {
    ...environment,
    ...(environment.onEvent ? { onEvent: quietly(environment, environment.onEvent) } : {}),
  }
  const tell = (event) => told.onEvent?.(event)
  if (settings.uses_clock) await context.clock.install()
  const traffic = watchTraffic(context)
  const dialogs = watchDialogs(context, tell)
  const complaints = watchComplaints(context)
  const statuses = watchPageStatus(context)
  const first = context.pages()[0] ?? (await context.newPage())
  const pages = watchPages(context, first, tell)
  const state = {
    context,
    settings,
    environment: told,
    remembered: {},
    traffic,
    faults: newFaults(),
    dialogs,
    pages,
    headers: {},
    secretFields: [],
    frame: undefined,
  }
  const records = {
    complaints,
    downloads: new Map(),
    pageStatus: ({ pages: shelf }) => statuses.get(shelf.current),
  }
  const clean = (failure) => redactFailure(asFailure(failure), environment.secrets)
  return {
    get page() {
      return state.pages.current
    },
    get root() {
      return state.frame ?? state.pages.current
    },
    remembered: state.remembered,
    async run(step) {
      try {
        await runStep(state, records, step)
      } catch (error) {
        throw clean(error)
      }
    },
    async finish() {
      try {
        await checkInvariants(state, complaints)
      } catch (error) {
        throw clean(error)
      }
    },
    async close() {
      for (const page of context.pages()) await page.close({ runBeforeUnload: false }).catch(() => {})
    },
  }
}

async function runStep(state, records, step) {
  const deadline = deadlineIn(step.options.timeout_ms ?? state.environment.stepTimeoutMs)
  leaveClosedTab(state)
  if (causes.has(step.verb)) {
    markAction(state.traffic)
    state.dialogs.unasked = undefined
    if (!step.arm?.dialog) state.dialogs.answer = undefined
  }
  const own = step.verb === 'wait_time' ? step.ms : deadline.ms
  await boundedBy(armedStep(state, records, step, deadline), own + hangSlackMs, () => {
    const message = \`The page did not react within \${inWords(own)}: its scripts or the browser hang.\`
    throw new StepFailure('action', message, { unresponsive: true })
  })
}

async function armedStep(state, records, step, deadline) {
  const arm = step.arm?.dialog
  const answer = arm && { accept: arm.accept, ...(arm.value === undefined ? {} : { text: textOf(state, arm.value) }) }
  if (step.verb === 'dialog') {
    // It hands on to the next dialog only once it has met its own.
    await performStep(state, records, step, deadline)
    if (answer) armDialog(state.dialogs, answer)
    return releaseHeld(state.dialogs)
  }
  await releaseHeld(state.dialogs)
  if (!answer) return performStep(state, records, step, deadline)
  armDialog(state.dialogs, answer)
  await untilHeld(state.dialogs, performStep(state, records, step, deadline))
}

// The status of a page is that of the last document it was given, however the navigation came about.
function watchPageStatus(context) {
  const statuses = new WeakMap()
  context.on('response', (response) => {
    const request = response.request()
    if (!request.isNavigationRequest()) return
    try {
      const frame = request.frame()
      if (frame === frame.page().mainFrame()) statuses.set(frame.page(), response.status())
    } catch {
      // The first request of a popup is seen before its frame is.
    }
  })
  return statuses
}

const fixed = new Set(['kind', 'step_id'])

// What the host is told goes into traces: the same rule for secrets as for failures.
function quietly(environment, listen) {
  return (event) => {
    const entries = Object.entries(event).map(([key, value]) => [
      key,
      typeof value === 'string' && !fixed.has(key) ? redactText(value, environment.secrets) : value,
    ])
    return listen(Object.fromEntries(entries))
  }
}

function asFailure(error) {
  if (error instanceof StepFailure) return error
  const reason = plainReason(error)
  if (/(Target|page|context|browser)[^.]* (has been |was )?closed|crashed/i.test(reason)) {
    return new StepFailure('environment', \`The browser or its page went away: \${reason}\`)
  }
  return new StepFailure('action', isTimeout(error) ? \`It did not happen in time: \${reason}\` : reason)
}`
