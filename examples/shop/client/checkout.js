;(() => {
  const { on, form, byId, wrong, call } = window.shop
  const money = (cents) => `€${(cents / 100).toFixed(2)}`

  on('change', 'input[name="delivery"]', async (_, radio) => {
    const { ok, data } = await call('GET', `/api/cart?delivery=${radio.value}`)
    if (!ok || !radio.checked) return
    document.querySelector('[data-testid="delivery-fee"]').textContent = money(data.delivery)
    document.querySelector('[data-testid="total"]').textContent = money(data.total)
  })

  /** Asks the card frame for a token; gives nothing where the card is not good, and the frame then says why. */
  function card() {
    return new Promise((done) => {
      const channel = new MessageChannel()
      channel.port1.onmessage = ({ data }) => done(data.token)
      byId('card').contentWindow.postMessage('card', location.origin, [channel.port2])
    })
  }

  let busy = false
  form('pay', async (fields, element) => {
    if (busy) return
    busy = true
    wrong('pay-wrong')
    const token = await card()
    if (!token) {
      busy = false
      return wrong('pay-wrong', 'Please check your card.')
    }
    const button = element.querySelector('button[type="submit"]')
    button.disabled = true
    const { delivery, ...address } = fields
    const { ok, status, data } = await call('POST', '/api/orders', { address, delivery, card: token })
    if (ok) return location.assign(`/orders/${data.id}?thanks=1`)
    button.disabled = false
    busy = false
    wrong(
      'pay-wrong',
      status && status < 500 ? data.message : 'We could not take your order. You have not been charged.',
    )
  })

  const shops = [
    ['Berlin', 52.52, 13.4],
    ['London', 51.51, -0.13],
    ['Paris', 48.86, 2.35],
  ]
  on('click', '[data-do="nearest"]', () => {
    const place = byId('nearest')
    place.textContent = 'Looking…'
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const far = ([, latitude, longitude]) => Math.hypot(latitude - coords.latitude, longitude - coords.longitude)
        place.textContent = `The nearest shop is in ${shops.toSorted((a, b) => far(a) - far(b))[0][0]}.`
      },
      () => {
        place.textContent = 'We may not see where you are.'
      },
    )
  })
})()
