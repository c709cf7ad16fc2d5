import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.ts'

t.test('what the environment leaves out has its default', async (t) => {
  t.match(readConfig({}), {
    home: join(homedir(), '.molar'),
    host: '127.0.0.1',
    port: 4000,
    sandbox: 'on',
    allowedOrigins: [],
    localSecrets: {},
    ci: false,
    egress: { reach: 'private', allow: [] },
  })
  t.equal(readConfig({ DATABASE_URL: '', MOLAR_PORT: ' ' }).port, 4000, 'empty is not set')
})

t.test('values are typed, secrets keep their spaces, the first of two names wins', async (t) => {
  const config = readConfig({
    MOLAR_HOME: 'here',
    MOLAR_PORT: '0',
    MOLAR_PUBLIC_URL: 'https://molar.example/',
    MOLAR_SECRET: 'x'.repeat(32),
    MOLAR_SECRET_PASSWORD: ' a b ',
    MOLAR_SECRET_: 'none',
    MOLAR_API_KEY: 'one',
    MOLAR_TOKEN: 'two',
    MOLAR_WORKERS: '3',
    MOLAR_SANDBOX: 'OFF',
    MOLAR_ALLOWED_HOSTS: 'a, b,',
    MOLAR_TOOLSETS: 'runs',
    DATABASE_URL: 'postgres://db/molar',
    MOLAR_EGRESS_ALLOW: 'staging.internal, *.test, 10.1.0.0/16, ::1',
    CI: 'true',
    FORCE_COLOR: '1',
  })
  t.match(config, {
    home: join(process.cwd(), 'here'),
    port: 0,
    publicUrl: 'https://molar.example',
    key: 'one',
    workers: 3,
    sandbox: 'off',
    allowedHosts: ['a', 'b'],
    toolsets: ['runs'],
    egress: { reach: 'public', allow: ['staging.internal', '*.test', '10.1.0.0/16', '::1'] },
    ci: true,
    color: true,
  })
  t.same(config.localSecrets, { PASSWORD: ' a b ' })
  t.equal(readConfig({ FORCE_COLOR: '1', NO_COLOR: '1' }).color, false, 'NO_COLOR wins')
  t.equal(readConfig({ CI: 'false' }).ci, false)
  const socket = 'postgresql://app:p%40ss@/molar?host=/run/postgresql'
  t.equal(readConfig({ DATABASE_URL: socket }).databaseUrl, socket.replace('@/', '@localhost/'), 'a socket has no host')
})

t.test('a wrong value is one line that names the variable and what it takes, and shows no password', async (t) => {
  const wrong: Record<string, string> = {
    MOLAR_PORT: '70000',
    MOLAR_WORKERS: '-1',
    MOLAR_SANDBOX: 'maybe',
    MOLAR_EGRESS: 'some',
    MOLAR_EGRESS_ALLOW: '10.0.0.0/33',
    MOLAR_TRUSTED_PROXIES: '10.0.0.0/8, 10.0.0.1/33',
    MOLAR_SMTP_URL: 'https://mail.example',
    MOLAR_GOOGLE_CLIENT_ID: 'without a secret',
    MOLAR_LOG_LEVEL: 'loud',
    MOLAR_SECRET: 'short',
    MOLAR_URL: 'ftp://x',
    DATABASE_URL: 'mysql://user:hunter2@host/db',
  }
  for (const [name, value] of Object.entries(wrong)) {
    t.throws(
      () => readConfig({ [name]: value }),
      { code: 'bad_request', message: new RegExp(`^${name} [^\\n]+$`) },
      name,
    )
  }
  const oidc = { MOLAR_OIDC_CLIENT_ID: 'molar', MOLAR_OIDC_CLIENT_SECRET: 'x', MOLAR_OIDC_ISSUER: 'https://id.example' }
  t.match(readConfig(oidc).providers, [{ id: 'oidc', name: 'single sign-on', issuer: 'https://id.example' }])
  t.throws(() => readConfig({ ...oidc, MOLAR_OIDC_ISSUER: 'ldap://id' }), { message: /^MOLAR_OIDC_ISSUER / })
  try {
    readConfig({ DATABASE_URL: wrong.DATABASE_URL })
    t.fail('it was taken')
  } catch (error) {
    t.notMatch((error as Error).message, 'hunter2')
  }
})
