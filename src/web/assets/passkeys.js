// Signing in with a passkey, and making one: what a form cannot do. Everything else of these pages works without scripts.

const here = document.querySelector('[data-passkey]')
const told = document.querySelector('[data-passkey-problem]')

if (here && typeof PublicKeyCredential?.parseRequestOptionsFromJSON === 'function') {
  here.hidden = false
  here.addEventListener('submit', async (event) => {
    event.preventDefault()
    told.hidden = true
    try {
      await (here.dataset.passkey === 'add' ? add(new FormData(here)) : signIn())
    } catch (error) {
      told.textContent =
        error.name === 'NotAllowedError' ? 'That was not completed. Try again.' : error.message || 'That did not work.'
      told.hidden = false
    }
  })
}

async function signIn() {
  const options = await send('/auth/passkey/challenge', {})
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
  const credential = await navigator.credentials.get({ publicKey })
  const { location } = await send('/auth/passkey', {
    response: credential.toJSON(),
    return_to: here.dataset.returnTo ?? '',
  })
  window.location.assign(location)
}

async function add(form) {
  const options = await send('/account/passkeys/challenge', {})
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options)
  const credential = await navigator.credentials.create({ publicKey })
  const { location } = await send('/account/passkeys', { response: credential.toJSON(), name: form.get('name') })
  window.location.assign(location)
}

async function send(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  })
  const read = await answer.json()
  if (read.error === 'reauthentication_required')
    window.location.assign(`${read.details.sign_in}&return_to=${encodeURIComponent(window.location.pathname)}`)
  if (!answer.ok) throw new Error(read.message)
  return read
}
