;(() => {
  const { on, form, notice, wrong, call, swap } = window.shop
  const lineOf = (element) => element.closest('[data-line]')?.dataset.line

  /** Calls the API, then shows the cart as the server now has it. */
  async function act(method, path, body) {
    const { ok, data } = await call(method, path, body)
    if (!ok && data.message && data.error !== 'internal') notice(data.message, 'alert')
    await swap('/cart', ['cart', 'pieces'])
    return ok
  }

  // A short rest, so that "12" is one change and not two.
  let typing
  on('input', '[data-change="quantity"]', (_, input) => {
    clearTimeout(typing)
    if (!input.value) return
    typing = setTimeout(act, 250, 'PATCH', `/api/cart/${lineOf(input)}`, { quantity: input.valueAsNumber })
  })

  on('click', '[data-do="remove"]', async (_, button) => {
    const { name } = button.dataset
    if (!confirm(`Remove ${name} from your cart?`)) return
    if (await act('DELETE', `/api/cart/${lineOf(button)}`)) notice(`${name} is gone.`)
  })

  form('coupon', async ({ code }) => {
    wrong('coupon-wrong')
    const { ok, status, data } = await call('POST', '/api/coupon', { code })
    if (ok) {
      await swap('/cart', ['cart'])
      notice(`Coupon ${data.coupon} is applied.`)
    } else if (status && status < 500) wrong('coupon-wrong', data.message)
  })

  let dragged
  on('dragstart', '.handle', (event, handle) => {
    dragged = lineOf(handle)
    event.dataTransfer.setData('text/plain', dragged)
    event.dataTransfer.setDragImage(handle.closest('tr'), 20, 20)
  })
  on('dragend', '.handle', () => {
    dragged = undefined
    for (const place of document.querySelectorAll('.over')) place.classList.remove('over')
  })
  on('dragover', '[data-line], [data-drop]', (event, place) => {
    if (!dragged) return
    event.preventDefault()
    place.classList.add('over')
  })
  on('dragleave', '[data-line], [data-drop]', (event, place) => {
    if (!place.contains(event.relatedTarget)) place.classList.remove('over')
  })
  on('drop', '[data-line], [data-drop]', (event, place) => {
    event.preventDefault()
    const line = dragged
    if (!line) return
    if (place.dataset.drop) act('POST', `/api/cart/${line}/wish`)
    else if (place.dataset.line !== line) act('POST', `/api/cart/${line}/move`, { to: place.dataset.line })
  })

  // The same by keyboard: arrows on the handle.
  on('keydown', '.handle', async (event, handle) => {
    const row = handle.closest('tr')
    const other =
      event.key === 'ArrowUp' ? row.previousElementSibling : event.key === 'ArrowDown' ? row.nextElementSibling : null
    if (!other) return
    event.preventDefault()
    const line = lineOf(handle)
    await act('POST', `/api/cart/${line}/move`, { to: lineOf(other) })
    document.querySelector(`[data-line="${line}"] .handle`)?.focus()
  })
})()
