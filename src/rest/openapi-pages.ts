import type { Paths } from './openapi.ts'

/** Pages for people, and where their forms go: path, operation id, and what each method does. Everything is HTML. */
const pages: readonly (readonly [path: string, id: string, methods: { get?: string; post?: string }])[] = [
  ['/', 'root', { get: 'Where people start' }],
  ['/auth/signup', 'sign_up', { get: 'Create an account', post: 'Create an account' }],
  ['/auth/login', 'login', { get: 'Sign in; with `provider`, at an outside one', post: 'Sign in with a password' }],
  ['/auth/magic-link', 'magic_link', { get: 'A link from a mail', post: 'Have a link to sign in with sent' }],
  ['/auth/magic-link/open', 'magic_link_open', { post: 'Sign in with a link' }],
  ['/auth/verify', 'verify', { get: 'A link from a mail', post: 'Confirm an e-mail address' }],
  ['/auth/two-factor', 'two_factor', { get: 'The second factor', post: 'Show the second factor' }],
  ['/auth/forgot', 'forgot', { get: 'Choose a new password', post: 'Have a link for a new password sent' }],
  ['/auth/reset', 'reset', { get: 'A link from a mail', post: 'Set a new password' }],
  ['/auth/callback', 'callback', { get: 'Back from single sign-on' }],
  ['/auth/callback/{provider}', 'callback_of', { get: 'Back from another provider' }],
  ['/auth/passkey/challenge', 'passkey_challenge', { post: 'What a browser needs to use a passkey' }],
  ['/auth/passkey', 'passkey', { post: 'Sign in with a passkey' }],
  ['/auth/signout', 'sign_out', { post: 'Sign out' }],
  ['/account', 'account', { get: 'My account' }],
  ['/account/name', 'account_name', { post: 'Change my name' }],
  ['/account/email', 'account_email', { post: 'Change my e-mail address' }],
  ['/account/password', 'account_password', { post: 'Change my password' }],
  ['/account/two-factor', 'account_two_factor', { post: 'Set up two-factor authentication' }],
  ['/account/two-factor/confirm', 'account_two_factor_confirm', { post: 'Turn two-factor authentication on' }],
  ['/account/two-factor/off', 'account_two_factor_off', { post: 'Turn two-factor authentication off' }],
  ['/account/passkeys', 'account_passkeys', { post: 'Add a passkey' }],
  ['/account/passkeys/challenge', 'account_passkeys_challenge', { post: 'What a browser needs to make a passkey' }],
  ['/account/passkeys/remove', 'account_passkeys_remove', { post: 'Remove a passkey' }],
  ['/account/delete', 'account_delete', { get: 'Delete my account', post: 'Delete my account' }],
  ['/account/sessions', 'account_sessions', { get: 'My sessions and apps' }],
  ['/account/sessions/end', 'account_sessions_end', { post: 'End a session' }],
  ['/account/apps/disconnect', 'account_apps_disconnect', { post: 'Disconnect an app' }],
  ['/account/sessions/end-others', 'account_sessions_end_others', { post: 'End my other sessions' }],
  ['/install', 'install', { get: 'How to connect an agent' }],
  ['/agents', 'agents', { get: 'What an agent needs to know, as Markdown' }],
  ['/llms.txt', 'llms', { get: 'The same in short, and where the rest is' }],
  ['/oauth/consent/{uid}', 'consent', { get: 'Whether an app may act for you', post: 'Answer that' }],
  ['/device', 'device', { get: 'Connect a device by the code that it shows', post: 'Say which code' }],
  ['/device/{uid}', 'device_go_on', { get: 'Back from the consent page' }],
  ['/orgs', 'orgs', { get: 'My organisations', post: 'Create an organisation' }],
  ['/orgs/choose', 'orgs_choose', { post: 'Work in another organisation' }],
  ['/orgs/{org}', 'org', { get: 'An organisation' }],
  ['/orgs/{org}/rename', 'org_rename', { post: 'Rename an organisation' }],
  ['/orgs/{org}/members/role', 'org_role', { post: 'Change a member’s role' }],
  ['/orgs/{org}/members/remove', 'org_remove', { post: 'Remove a member' }],
  ['/orgs/{org}/transfer', 'org_transfer', { post: 'Give an organisation away' }],
  ['/orgs/{org}/leave', 'org_leave', { post: 'Leave an organisation' }],
  ['/orgs/{org}/invitations', 'org_invite', { post: 'Invite somebody' }],
  ['/orgs/{org}/invitations/revoke', 'org_uninvite', { post: 'Take an invitation back' }],
  ['/invitations/accept', 'invitation', { get: 'An invitation from a mail', post: 'Accept an invitation' }],
  ['/keys', 'keys', { get: 'Keys and tokens', post: 'Create a key' }],
  ['/keys/revoke', 'keys_revoke', { post: 'Revoke a key' }],
  ['/keys/renew', 'keys_renew', { get: 'A link from a mail', post: 'Renew a key' }],
  ['/legal/terms', 'terms', { get: 'The terms of use' }],
  ['/orgs/{org}/delete', 'org_delete', { post: 'Delete an organisation' }],
  ['/orgs/{org}/export', 'org_export', { post: 'Export an organisation' }],
  ['/tokens', 'tokens', { post: 'Create a token' }],
  ['/tokens/revoke', 'tokens_revoke', { post: 'Revoke a token' }],
  ['/tokens/renew', 'tokens_renew', { post: 'Let a token last longer' }],
  ['/assets/{name}', 'asset', { get: 'A style sheet or script of the pages' }],
]

export function pagePaths(): Paths {
  return Object.fromEntries(
    pages.map(([path, id, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, summary]) => [
          method,
          {
            operationId: `pages.${id}${method === 'post' ? '_send' : ''}`,
            summary,
            tags: ['Pages'],
            security: [],
            ...(path.includes('{') && { parameters: parametersOf(path) }),
            ...(method === 'post' && { requestBody: { content: { 'application/x-www-form-urlencoded': {} } } }),
            responses: {
              200: { description: 'A page', content: { '*/*': { schema: { type: 'string' } } } },
              303: { description: 'Go there' },
            },
          },
        ]),
      ),
    ]),
  )
}

const parametersOf = (path: string) =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
