import { type Html, html } from '../html.ts'
import type { Visit } from '../visit.ts'

/** Minutes after which the page signs a customer out. */
export const sessionMinutes = 30

const sheets = ['base', 'parts', 'catalogue', 'checkout']

function head(title: string, scripts: string[]): Html {
  // Not deferred: the listeners sit on the document before there is anything to click.
  return html`<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="/art/terracotta-planter.svg">
${sheets.map((name) => html`<link rel="stylesheet" href="/client/${name}.css">\n`)}
${scripts.map((name) => html`<script src="/client/${name}.js"></script>\n`)}</head>`
}

function link(visit: Visit, to: string, name: unknown, more?: Html): Html {
  return html`<a href="${to}" ${visit.url.pathname === to && html`aria-current="page"`} ${more}>${name}</a>`
}

function top(visit: Visit): Html {
  const { session } = visit
  const pieces = session.cart.lines.reduce((sum, line) => sum + line.quantity, 0)
  return html`<header class="top">
<a class="brand" href="/">Field<b>house</b></a>
${visit.headers['x-shop-preview'] && html`<span class="badge" data-testid="preview">Preview</span>`}
<nav aria-label="Main">
${link(visit, '/products', 'Catalogue')}
${session.user && link(visit, '/orders', 'Orders')}
${session.user ? link(visit, '/account', 'Account') : link(visit, '/login', 'Sign in')}
<a class="to-cart" href="/cart" ${visit.url.pathname === '/cart' && html`aria-current="page"`}>Cart <span id="pieces" class="count" data-testid="cart-count">${pieces}</span></a>
</nav>
</header>`
}

const announcement = html`<aside class="announcement" aria-label="Announcement">
<p>Fifteen percent off your first order with <b>WELCOME15</b></p>
<button type="button" class="plain" data-do="dismiss">Dismiss</button>
</aside>`

const expired = html`<dialog id="expired" role="alertdialog" aria-labelledby="expired-title">
<h2 id="expired-title">Your session has expired</h2>
<p>You were away for a while, so we signed you out. Your cart is still here.</p>
<a class="button" href="/login">Sign in again</a>
</dialog>`

/** A whole page. `scripts` are names below client/, without `.js`. */
export function layout(visit: Visit, title: string, content: Html, scripts: string[] = []): Html {
  const { user } = visit.session
  return html`<html lang="en">
${head(`${title} · Fieldhouse`, ['theme', 'shop', ...scripts])}
<body ${user && html`data-session-minutes="${sessionMinutes}"`}>
<a class="skip" href="#main">Skip to content</a>
<div id="offline" class="banner offline" role="status" hidden>You are offline. We will carry on when you are back.</div>
${visit.cookies.announcement !== 'dismissed' && announcement}
${top(visit)}
<main id="main">
<div id="notices" aria-live="polite"></div>
${content}
</main>
<footer><p>Fieldhouse sells nothing real. It is a place for tests to practise.</p></footer>
${user && expired}
</body>
</html>`
}

/** A page without the shop around it: a frame, an invoice. */
export function bare(title: string, content: Html, scripts: string[] = [], body = 'bare'): Html {
  return html`<html lang="en">
${head(title, ['theme', ...scripts])}
<body class="${body}">${content}</body>
</html>`
}
