import { html } from '../html.ts'
import type { User } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { layout, sessionMinutes } from './layout.ts'

const schemes = { system: 'As my device', light: 'Light', dark: 'Dark' }
const digests = { never: 'Never', daily: 'Every day', weekly: 'Every week' }

export function accountPage(visit: Visit, user: User) {
  const { settings } = visit.session
  const content = html`<h1>Hello, ${user.name.split(' ')[0]}</h1>
<div class="split even">
<section class="panel" aria-label="Appearance"><h2>Appearance</h2>
<fieldset class="plain"><legend>Colour scheme</legend>
${Object.entries(schemes).map(([key, name]) => html`<label class="check"><input type="radio" name="theme" value="${key}" data-change="theme"> ${name}</label>`)}
</fieldset></section>
<section class="panel" aria-label="Letters"><h2>Letters</h2>
<form data-form="settings" method="post">
<div class="field"><label for="digest">E-mail digest</label><select id="digest" name="digest">${Object.entries(digests).map(([key, name]) => html`<option value="${key}" ${key === settings.digest && html`selected`}>${name}</option>`)}</select></div>
<label class="check"><input type="checkbox" name="restock" ${settings.restock && html`checked`}> Tell me when a wish is back in stock</label>
<button type="submit" class="button">Save settings</button>
</form></section>
<section class="panel" aria-label="Session"><h2>Session</h2>
<p>Signed in as ${user.email}. <span role="timer" id="timer" data-testid="session-timer">Session ends in ${sessionMinutes} minutes</span></p>
<p class="row"><button type="button" class="button quiet" data-do="stay">Stay signed in</button> <button type="button" class="button quiet" data-do="logout">Sign out</button></p>
</section>
</div>`
  return layout(visit, 'Account', content, ['account'])
}
