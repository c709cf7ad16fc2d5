;(() => {
  const { on, form, ready, notice, wrong, call } = window.shop

  form('login', async (fields, element) => {
    wrong('login-wrong')
    const { ok, status, data } = await call('POST', '/api/login', fields)
    if (ok) location.assign(element.dataset.next)
    else if (status && status < 500) wrong('login-wrong', data.message)
  })

  on('click', '[data-do="logout"]', async () => {
    if ((await call('POST', '/api/logout')).ok) location.assign('/')
  })

  form('settings', async ({ digest, restock }) => {
    const { ok, data } = await call('PUT', '/api/settings', { digest, restock: restock === 'on' })
    if (ok) notice('Your settings are saved.')
    else if (data.message && data.error !== 'internal') notice(data.message, 'alert')
  })

  on('change', '[data-change="theme"]', (_, radio) => {
    if (radio.value === 'system') localStorage.removeItem('theme')
    else localStorage.setItem('theme', radio.value)
    if (radio.value === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = radio.value
  })
  ready(() => {
    const theme = document.documentElement.dataset.theme ?? 'system'
    const radio = document.querySelector(`input[name="theme"][value="${theme}"]`)
    if (radio) radio.checked = true
  })

  on('click', '[data-do="copy"]', async (_, button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.text)
      notice(`Copied ${button.dataset.text}.`)
    } catch {
      notice('Your browser does not let us copy.', 'alert')
    }
  })

  on('click', '[data-do="cancel"]', async (_, button) => {
    const reason = prompt('Why do you cancel this order?')
    if (reason === null) return
    const { ok, data } = await call('POST', `/api/orders/${button.dataset.order}/cancel`, { reason })
    if (ok) location.assign(`/orders/${button.dataset.order}`)
    else if (data.message && data.error !== 'internal') notice(data.message, 'alert')
  })
})()
