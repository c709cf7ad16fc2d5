import { html } from '../html.ts'
import type { Visit } from '../visit.ts'
import { layout } from './layout.ts'

/** Where to go after signing in: a path of this shop, never another site. */
function next(visit: Visit): string {
  const to = visit.url.searchParams.get('next') ?? '/account'
  return /^\/(?![/\\])/.test(to) ? to : '/account'
}

export function loginPage(visit: Visit) {
  const content = html`<section class="panel narrow">
<h1>Sign in</h1>
<form data-form="login" data-next="${next(visit)}" method="post">
<p class="wrong" role="alert" id="login-wrong" hidden></p>
<div class="field"><label for="email">Email</label><input id="email" name="email" type="email" autocomplete="username" required></div>
<div class="field"><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required></div>
<button type="submit" class="button">Sign in</button>
</form>
<p class="muted">Try ada@example.com with correct-horse-battery.</p>
</section>`
  return layout(visit, 'Sign in', content, ['account'])
}
