import type { FastifyReply } from 'fastify'
import { assetPath } from './assets.ts'
import { type Content, type Html, html } from './html.ts'

export interface Page {
  title: string
  body: Content
  /** Who is signed in: the page then has the navigation. */
  person?: { name: string; email: string } | undefined
  /** The address of the navigation's entry that this page belongs to. */
  here?: string | undefined
  /** Scripts of src/web/assets by file name. Pages work without, wherever that is possible. */
  scripts?: readonly string[]
  /** Origins beside this one that the page's forms may lead to, by themselves or by a redirect: `https://example.com`, `cursor:`. */
  formTargets?: readonly string[]
  status?: number
}

const navigation = [
  ['/orgs', 'Organisations'],
  ['/keys', 'Keys and tokens'],
  ['/account', 'My account'],
  ['/account/sessions', 'Sessions and apps'],
] as const

/** A whole page of this server, with its policy: nothing inline, nothing from elsewhere, no frame around it. */
export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  const { html, headers } = renderPage(page)
  return reply
    .code(page.status ?? 200)
    .headers(headers)
    .type('text/html; charset=utf-8')
    .send(html)
}

/** The same for whoever sends it by other means. */
export function renderPage(page: Page): { html: string; headers: Record<string, string> } {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    ...(page.scripts?.length ? ["script-src 'self'", "connect-src 'self'"] : []),
    `form-action ${["'self'", ...(page.formTargets ?? [])].join(' ')}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  const headers = {
    'content-security-policy': policy.join('; '),
    // Forms need an Origin header that says where they come from; `no-referrer` makes it "null".
    'referrer-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  }
  return { html: document(page).text, headers }
}

function document({ title, body, person, here, scripts = [] }: Page): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Molar</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assetPath('style.css')}">
${scripts.map((name) => html`<script type="module" src="${assetPath(name)}"></script>`)}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top"><div class="row"><a class="brand" href="/">Molar</a>${person && personBar(person, here)}</div></header>
<main id="main" tabindex="-1"${person ? '' : html` class="narrow"`}>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

const personBar = (person: { name: string; email: string }, here: string | undefined): Html => html`
<nav aria-label="Main"><ul>${navigation.map(
  ([path, label]) => html`<li><a href="${path}"${path === here && html` aria-current="page"`}>${label}</a></li>`,
)}</ul></nav>
<form class="out" method="post" action="/auth/signout"><span class="who">${person.email}</span><button class="quiet">Sign out</button></form>`
