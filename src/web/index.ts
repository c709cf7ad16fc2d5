import type { FastifyPluginAsync } from 'fastify'
import { accountPages } from './account.ts'
import { agentPages } from './agents.ts'
import { assetRoutes } from './assets.ts'
import { consentPages } from './consent.ts'
import { installPage } from './install.ts'
import { keyPages } from './keys.ts'
import { orgPages } from './orgs.ts'
import { renewalPages } from './renewal.ts'
import { pageScope, type WebOptions } from './scope.ts'
import { sessionPages } from './sessions.ts'
import { signInPages } from './sign-in.ts'
import { termsPage } from './terms.ts'

/** The pages for people, in a scope of their own. */
export function webPages(options: WebOptions): FastifyPluginAsync {
  return async (app) => {
    pageScope(app, options)
    assetRoutes(app)
    signInPages(app, options)
    accountPages(app, options)
    sessionPages(app, options)
    orgPages(app, options)
    keyPages(app, options)
    renewalPages(app, options)
    termsPage(app, options)
    installPage(app, options)
    agentPages(app, options)
    if (options.oauth) consentPages(app, { ...options, oauth: options.oauth })
  }
}

export { oauthPages } from './oauth-pages.ts'
export { personOf, type WebOptions } from './scope.ts'
