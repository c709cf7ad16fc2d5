// What every page needs. Listeners sit on the document, so they hold for whatever is swapped in later.
window.shop = (() => {
  /** Calls `act(event, element)` when an event reaches an element that matches. */
  function on(kind, selector, act) {
    document.addEventListener(kind, (event) => {
      const element = event.target instanceof Element ? event.target.closest(selector) : null
      if (element) act(event, element)
    })
  }

  /** Catches a form's submit and gives its fields. */
  function form(name, act) {
    on('submit', `form[data-form="${name}"]`, (event, element) => {
      event.preventDefault()
      act(Object.fromEntries(new FormData(element)), element)
    })
  }

  const ready = (act) => document.addEventListener('DOMContentLoaded', act)
  const byId = (id) => document.getElementById(id)

  /** One line above the page: `status` for good news, `alert` for bad. */
  function notice(text, role = 'status') {
    const line = document.createElement('p')
    line.className = `banner ${role === 'alert' ? 'bad' : 'good'}`
    line.setAttribute('role', role)
    line.textContent = text
    byId('notices')?.replaceChildren(line)
  }

  /** Shows a message in its place in a form, or hides it. */
  function wrong(id, text) {
    const place = byId(id)
    if (!place) return
    place.textContent = text ?? ''
    place.hidden = !text
  }

  /** Calls the API. Gives `{ok, status, data}`; says so itself when the server or the network failed. */
  async function call(method, path, body, quiet = false) {
    try {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const response = await fetch(path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      })
      const text = await response.text()
      let data = {}
      try {
        data = text ? JSON.parse(text) : {}
      } catch {
        data = { message: text }
      }
      if (response.status >= 500 && !quiet) {
        console.error(`${method} ${path} answered ${response.status}`)
        notice(`Something went wrong (${response.status}). Please try again.`, 'alert')
      }
      return { ok: response.ok, status: response.status, data }
    } catch {
      if (!quiet) notice('We cannot reach the shop. Check your connection.', 'alert')
      return { ok: false, status: 0, data: {} }
    }
  }

  /** Fetches a page and puts its parts of these ids in place of ours. */
  async function swap(url, ids) {
    const response = await fetch(url).catch(() => null)
    if (!response?.ok) return notice('We cannot show that right now. Please try again.', 'alert')
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    const focused = document.activeElement?.id
    for (const id of ids) {
      const part = fresh.getElementById(id)
      if (part) byId(id)?.replaceWith(document.adoptNode(part))
    }
    if (focused && document.activeElement?.id !== focused) byId(focused)?.focus()
  }

  function connection() {
    const banner = byId('offline')
    if (banner) banner.hidden = navigator.onLine
  }
  window.addEventListener('online', connection)
  window.addEventListener('offline', connection)
  ready(connection)

  on('click', '[data-do="dismiss"]', (_, button) => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
    document.cookie = 'announcement=dismissed; path=/; max-age=31536000; samesite=lax'
    button.closest('aside')?.remove()
  })

  let ends = 0
  let alarm = 0

  /** Signs out after the page's session minutes, counted from now. */
  function stay() {
    const minutes = Number(document.body.dataset.sessionMinutes)
    if (!minutes) return
    clearTimeout(alarm)
    ends = Date.now() + minutes * 60_000
    alarm = setTimeout(expire, minutes * 60_000)
    tick()
  }

  async function expire() {
    await call('POST', '/api/logout', undefined, true)
    byId('expired')?.showModal()
  }

  function tick() {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 60_000))
    const timer = byId('timer')
    if (timer) timer.textContent = `Session ends in ${left === 1 ? '1 minute' : `${left} minutes`}`
  }

  on('click', '[data-do="stay"]', stay)
  ready(() => {
    stay()
    if (ends) setInterval(tick, 1000)
  })

  return { on, form, ready, byId, notice, wrong, call, swap }
})()
