import type { OAuthPages } from '../auth/oauth/pages.ts'
import { field, problem as shownProblem } from './form.ts'
import { html } from './html.ts'
import { renderPage } from './page.ts'

/** The pages that the OAuth server shows by itself. */
export const oauthPages: OAuthPages = {
  error: (message) =>
    renderPage({
      title: 'This app could not be connected',
      body: html`${shownProblem(message)}<p>Go back to the app and start again. If it happens again, its maker must mend it.</p>`,
    }),
  enterCode: ({ action, xsrf, userCode, problem }) =>
    renderPage({
      title: 'Connect a device',
      body: html`${shownProblem(problem)}<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrf}"><input type="hidden" name="confirm" value="yes">
${field({
  name: 'user_code',
  label: 'The code that your device shows',
  value: userCode,
  hint: 'Go on only if you started this yourself, and the code is the same.',
  autocomplete: 'off',
  maxlength: 20,
  first: true,
})}
<div class="buttons"><button>Continue</button></div></form>`,
    }),
  codeDone: () =>
    renderPage({
      title: 'Connected',
      body: html`<p>Your device goes on by itself. You can close this page.</p>`,
    }),
}
