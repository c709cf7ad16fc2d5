;(() => {
  const digits = (id) => document.getElementById(id).value.replace(/\D/g, '')

  /** The Luhn checksum, as every card has it. */
  function sound(number) {
    const sum = [...number].reverse().reduce((total, digit, at) => {
      const twice = Number(digit) * (at % 2 ? 2 : 1)
      return total + (twice > 9 ? twice - 9 : twice)
    }, 0)
    return number.length === 16 && sum % 10 === 0
  }

  function problem() {
    if (!sound(digits('number'))) return 'This card number is not valid.'
    if (digits('expiry').length !== 4) return 'Enter the expiry as month and year.'
    if (digits('cvc').length !== 3) return 'Enter the three digits of the security code.'
    return ''
  }

  window.addEventListener('message', ({ data, origin, ports }) => {
    if (origin !== location.origin || data !== 'card' || !ports[0]) return
    const text = problem()
    const place = document.getElementById('card-wrong')
    place.textContent = text
    place.hidden = !text
    ports[0].postMessage({ token: text ? undefined : `tok_${digits('number').slice(-4)}` })
  })
  document.addEventListener('submit', (event) => event.preventDefault())
})()
