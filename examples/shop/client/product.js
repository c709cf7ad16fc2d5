;(() => {
  const { on, form, ready, byId, notice, call, swap } = window.shop

  form('add', async (fields, element) => {
    const { ok, data } = await call('POST', '/api/cart', {
      slug: element.dataset.slug,
      size: fields.size,
      quantity: Number(fields.quantity),
      gift_wrap: fields.gift_wrap === 'on',
    })
    if (ok) {
      byId('pieces').textContent = data.pieces
      notice('Added to your cart.')
    } else if (data.message && data.error !== 'internal') notice(data.message, 'alert')
  })

  function open(tab) {
    for (const one of tab.parentElement.children) {
      const chosen = one === tab
      one.setAttribute('aria-selected', String(chosen))
      one.tabIndex = chosen ? 0 : -1
      byId(one.getAttribute('aria-controls')).hidden = !chosen
    }
    tab.focus()
  }
  on('click', '[role="tab"]', (_, tab) => open(tab))
  on('keydown', '[role="tab"]', (event, tab) => {
    const next =
      event.key === 'ArrowRight'
        ? tab.nextElementSibling
        : event.key === 'ArrowLeft'
          ? tab.previousElementSibling
          : null
    if (next) open(next)
  })

  function read(file) {
    return new Promise((done, fail) => {
      const reader = new FileReader()
      reader.onload = () => done(reader.result)
      reader.onerror = () => fail(reader.error)
      reader.readAsDataURL(file)
    })
  }
  on('change', '#photo', async (_, input) => {
    const preview = byId('preview')
    const file = input.files[0]
    preview.hidden = !file
    if (file) preview.src = await read(file)
  })

  form('review', async (fields, element) => {
    const file = byId('photo').files[0]
    const { ok, data } = await call('POST', '/api/reviews', {
      product: element.dataset.slug,
      stars: Number(fields.stars),
      text: fields.text,
      photo: file ? await read(file) : undefined,
    })
    if (!ok) return data.error !== 'internal' && notice(data.message, 'alert')
    await swap(location.href, ['reviews'])
    element.reset()
    byId('preview').hidden = true
    notice('Thanks for your review.')
  })

  on('dblclick', '.picture', (_, picture) => picture.classList.toggle('enlarged'))

  ready(() => {
    const place = document.querySelector('[data-stock]')
    if (!place) return
    setInterval(async () => {
      const { ok, data } = await call('GET', `/api/stock?product=${place.dataset.stock}`, undefined, true)
      place.textContent = ok ? `${data.stock} in stock` : 'Stock unknown'
      place.classList.toggle('unknown', !ok)
    }, 2000)
  })
})()
