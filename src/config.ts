import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Provider } from './auth/providers.ts'
import { lago, providers, s3 } from './config-services.ts'
import {
  choice,
  type Environment,
  folder,
  forced,
  type Get,
  list,
  onPath,
  origins,
  picked,
  postgresUrl,
  prefixed,
  ranges,
  secret,
  url,
  whole,
  wrong,
} from './config-values.ts'
import type { S3Options } from './core/blobs/index.ts'
import type { RateClass, Settings } from './core/context.ts'
import { allowEntryProblem, type EgressRules } from './core/egress/rules.ts'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** Everything that the environment decides, read once. */
export interface Config {
  /** MOLAR_HOME: the embedded database, blobs, keys and unpacked browsers; ~/.molar. */
  home: string
  /** Whether MOLAR_HOME was given. */
  homeGiven: boolean
  /** DATABASE_URL: PostgreSQL for the application; the embedded one when absent. */
  databaseUrl: string | undefined
  /** MOLAR_MIGRATION_URL: PostgreSQL as the tables' owner; databaseUrl when absent. */
  migrationUrl: string | undefined
  /** MOLAR_LISTEN_URL: a direct connection for LISTEN, past a transaction pooler; databaseUrl when absent. */
  listenUrl: string | undefined
  /** MOLAR_HOST, MOLAR_PORT: where `serve` listens; 127.0.0.1:4000. Port 0 takes a free one. */
  host: string
  port: number
  /** MOLAR_PUBLIC_URL: how others reach this server, without a trailing slash. */
  publicUrl: string | undefined
  /** Whether apps connect through OAuth: where people can sign in, so with DATABASE_URL or MOLAR_PUBLIC_URL. */
  oauth: boolean
  /** MOLAR_SECRET: what all keys of this installation are derived from; one is made in the home when absent. */
  secret: string | undefined
  /** MOLAR_SECRET_PREVIOUS: what MOLAR_SECRET was before, until `molar secrets rotate` is done; comma-separated. */
  previousSecrets: string[]
  /** MOLAR_INTERNAL_TOKEN: what other services of this installation show as X-Internal-Token; none when absent. */
  internalToken: string | undefined
  /** MOLAR_URL: the server that the CLI talks to; without it the CLI does the work itself. */
  url: string | undefined
  /** MOLAR_API_KEY, or MOLAR_TOKEN. */
  key: string | undefined
  /** What `molar login` keeps, a TOML file: molar/config.toml under XDG_CONFIG_HOME, or under ~/.config. */
  loginFile: string
  /** MOLAR_ORG: which of the caller's orgs, by id or slug. */
  org: string | undefined
  /** MOLAR_CHROMIUM_PATH: the only browser that is tried. */
  chromiumPath: string | undefined
  /** PLAYWRIGHT_BROWSERS_PATH: where Playwright keeps its browsers. */
  playwrightCache: string | undefined
  /** MOLAR_SANDBOX=on|off: Chromium's own sandbox; on. */
  sandbox: 'on' | 'off'
  /** MOLAR_WORKERS: how many runs this process executes at once; by the processors when absent, 0 for none. */
  workers: number | undefined
  /** MOLAR_INGEST_TIMEOUT: seconds after which a run that somebody else executes is given up when nothing is heard of it; 3600. */
  ingestTimeoutSeconds: number
  /** MOLAR_ALLOWED_ORIGINS: origins of web pages that may call this server; comma-separated. */
  allowedOrigins: string[]
  /** MOLAR_ALLOWED_HOSTS: names under which this server answers beside its own; comma-separated. */
  allowedHosts: string[]
  /** MOLAR_RUN_ORIGINS: what runs may reach beside their base URL: origins, or https://*.example.com; comma-separated. */
  runOrigins: string[]
  /**
   * MOLAR_EGRESS=public|private: whether addresses that users give must be public ones; public with DATABASE_URL, else
   * private. MOLAR_EGRESS_ALLOW: hosts, addresses and ranges that are reached all the same; comma-separated.
   */
  egress: EgressRules
  /**
   * MOLAR_READS_PER_MINUTE (600), MOLAR_WRITES_PER_MINUTE (120), MOLAR_INGESTS_PER_MINUTE (30): calls of one org.
   * MOLAR_ENTRIES_PER_MINUTE (20): new keys and accounts of one address. Without DATABASE_URL unlimited; so is 0.
   */
  rates: Record<RateClass, number>
  /** MOLAR_TERMS_VERSION, MOLAR_PLAN, AGENT_SIGNUP_ENABLED: what holds for every org; see Settings. */
  settings: Settings
  /** LAGO_API_URL, LAGO_API_KEY: the billing service that usage is told to; none when absent. */
  lago: { url: string; key: string } | undefined
  /** MOLAR_S3_ENDPOINT, _BUCKET, _REGION, _ACCESS_KEY_ID, _SECRET_ACCESS_KEY, _PREFIX: where blobs are; the home when absent. */
  s3: S3Options | undefined
  /** MOLAR_RETENTION_DAYS: traces older than this lose their artifacts, unless pinned; kept for ever when absent. */
  retentionDays: number | undefined
  /** MOLAR_QUOTA_BYTES: what an org's blobs may take; the oldest traces' artifacts go first. Unlimited when absent. */
  quotaBytes: number | undefined
  /** MOLAR_EVIDENCE: what every run leaves beside the usual, at a cost of time: rrweb, video; comma-separated. */
  evidence: string[]
  /** MOLAR_FFMPEG_PATH, or the first ffmpeg on PATH; videos need it. */
  ffmpeg: string | undefined
  /** MOLAR_TRUSTED_PROXIES: whose X-Forwarded-For counts: addresses or ranges, comma-separated; nobody's when absent. */
  trustedProxies: string[]
  /** MOLAR_SMTP_URL: smtp:// or smtps://, for mails; files under MOLAR_HOME/outbox when absent. */
  smtpUrl: string | undefined
  /** MOLAR_MAIL_FROM: whom mails come from; Molar <molar@localhost>. */
  mailFrom: string
  /** MOLAR_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _NAME, and the same of GOOGLE and GITHUB: where people sign in, too. */
  providers: Provider[]
  /** MOLAR_CHECKPOINTS: a folder for signed states of audit chains, best where the database's writers may not write; in the home when absent. */
  checkpoints: string | undefined
  /** MOLAR_LOG_LEVEL; info for servers, warn for the rest when absent. */
  logLevel: (typeof logLevels)[number] | undefined
  /** MOLAR_SECRET_<NAME>: secrets that scenarios run here may use, by NAME. */
  localSecrets: Record<string, string>
  /** MOLAR_TOOLSETS: MCP toolsets instead of the default one, which is named `default`; comma-separated. */
  toolsets: string[] | undefined
  /** NO_COLOR, FORCE_COLOR: undefined leaves it to the terminal. */
  color: boolean | undefined
  /** DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, XDG_RUNTIME_DIR: what a browser with a window needs to see. */
  display: Record<string, string>
  /** CI: nobody watches, so no spinner. */
  ci: boolean
  /** HTTPS_PROXY and the like, for a browser's download alone. */
  downloadEnvironment: Record<string, string>
}

/** The typed configuration. Throws `bad_request` (exit 2) with one line that names a wrong variable and what it takes. */
export function readConfig(environment: Environment): Config {
  // An empty variable is how many shells and compose files say "not set".
  const get = (name: string) => environment[name]?.trim() || undefined
  return {
    home: resolve(get('MOLAR_HOME') ?? join(homedir(), '.molar')),
    homeGiven: get('MOLAR_HOME') !== undefined,
    databaseUrl: postgresUrl(get, 'DATABASE_URL'),
    migrationUrl: postgresUrl(get, 'MOLAR_MIGRATION_URL'),
    listenUrl: postgresUrl(get, 'MOLAR_LISTEN_URL'),
    host: get('MOLAR_HOST') ?? '127.0.0.1',
    port: whole(get, 'MOLAR_PORT', 0, 65535) ?? 4000,
    publicUrl: url(get, 'MOLAR_PUBLIC_URL', ['http:', 'https:'])?.replace(/\/+$/, ''),
    oauth: get('DATABASE_URL') !== undefined || get('MOLAR_PUBLIC_URL') !== undefined,
    secret: secret(get, 'MOLAR_SECRET'),
    previousSecrets: previousSecrets(get),
    internalToken: secret(get, 'MOLAR_INTERNAL_TOKEN'),
    url: url(get, 'MOLAR_URL', ['http:', 'https:'])?.replace(/\/+$/, ''),
    key: get('MOLAR_API_KEY') ?? get('MOLAR_TOKEN'),
    loginFile: join(get('XDG_CONFIG_HOME') ?? join(get('HOME') ?? homedir(), '.config'), 'molar', 'config.toml'),
    org: get('MOLAR_ORG'),
    chromiumPath: get('MOLAR_CHROMIUM_PATH'),
    playwrightCache: get('PLAYWRIGHT_BROWSERS_PATH'),
    sandbox: choice(get, 'MOLAR_SANDBOX', ['on', 'off']) ?? 'on',
    workers: whole(get, 'MOLAR_WORKERS', 0, 256),
    ingestTimeoutSeconds: whole(get, 'MOLAR_INGEST_TIMEOUT', 1, 7 * 86_400) ?? 3600,
    allowedOrigins: list(get('MOLAR_ALLOWED_ORIGINS')) ?? [],
    allowedHosts: list(get('MOLAR_ALLOWED_HOSTS')) ?? [],
    runOrigins: origins(get, 'MOLAR_RUN_ORIGINS'),
    egress: egress(get),
    rates: rates(get),
    settings: settings(get),
    lago: lago(get),
    s3: s3(get),
    retentionDays: whole(get, 'MOLAR_RETENTION_DAYS', 1, 36_500),
    quotaBytes: whole(get, 'MOLAR_QUOTA_BYTES', 1, Number.MAX_SAFE_INTEGER),
    evidence: evidence(get),
    ffmpeg: get('MOLAR_FFMPEG_PATH') ?? onPath('ffmpeg', environment.PATH),
    trustedProxies: ranges(get, 'MOLAR_TRUSTED_PROXIES'),
    smtpUrl: url(get, 'MOLAR_SMTP_URL', ['smtp:', 'smtps:']),
    mailFrom: get('MOLAR_MAIL_FROM') ?? 'Molar <molar@localhost>',
    providers: providers(get),
    checkpoints: folder(get, 'MOLAR_CHECKPOINTS'),
    logLevel: choice(get, 'MOLAR_LOG_LEVEL', logLevels),
    localSecrets: localSecrets(environment),
    toolsets: list(get('MOLAR_TOOLSETS')),
    color: get('NO_COLOR') !== undefined ? false : forced(get('FORCE_COLOR')),
    display: display(environment),
    ci: get('CI') !== undefined && !['0', 'false'].includes(get('CI') ?? ''),
    downloadEnvironment: picked(environment, [
      'HTTPS_PROXY',
      'HTTP_PROXY',
      'NO_PROXY',
      'NODE_EXTRA_CA_CERTS',
      'PLAYWRIGHT_DOWNLOAD_HOST',
    ]),
  }
}

/** By commas; and the whole, since a secret may hold one itself. A secret that is none opens nothing. */
function previousSecrets(get: Get): string[] {
  const value = secret(get, previousName)
  return value === undefined ? [] : [...new Set([value, ...(list(value) ?? [])])]
}

/** A laptop's only caller is its owner. */
function rates(get: Get): Record<RateClass, number> {
  const shared = get('DATABASE_URL') !== undefined
  const limit = (name: string, usual: number) => whole(get, name, 0, 10_000_000) ?? (shared ? usual : 0)
  return {
    read: limit('MOLAR_READS_PER_MINUTE', 600),
    write: limit('MOLAR_WRITES_PER_MINUTE', 120),
    ingest: limit('MOLAR_INGESTS_PER_MINUTE', 30),
    entry: limit('MOLAR_ENTRIES_PER_MINUTE', 20),
  }
}

/** The terms and plans are for those who let others in: a laptop has neither. */
function settings(get: Get): Settings {
  const shared = get('DATABASE_URL') !== undefined
  const terms = get('MOLAR_TERMS_VERSION') ?? (shared ? '2026-11' : 'none')
  return {
    terms: terms === 'none' ? null : terms,
    plan: choice(get, 'MOLAR_PLAN', ['unlimited', 'free']) ?? (shared ? 'free' : 'unlimited'),
    agentSignup: choice(get, 'AGENT_SIGNUP_ENABLED', ['true', 'false']) === 'true',
    metered: get('LAGO_API_URL') !== undefined,
  }
}

/** On a laptop what is tested runs on the laptop; a server's own network is nobody's to look at. */
function egress(get: Get): EgressRules {
  const usual = get('DATABASE_URL') === undefined ? 'private' : 'public'
  const allow = list(get('MOLAR_EGRESS_ALLOW')) ?? []
  for (const entry of allow)
    if (allowEntryProblem(entry) !== undefined)
      wrong('MOLAR_EGRESS_ALLOW', entry, 'host names, *.names, addresses and ranges such as 10.1.0.0/16')
  return { reach: choice(get, 'MOLAR_EGRESS', ['public', 'private']) ?? usual, allow }
}

function evidence(get: Get): string[] {
  const names = list(get('MOLAR_EVIDENCE')) ?? []
  return names.map((name) => (['rrweb', 'video'].includes(name) ? name : wrong('MOLAR_EVIDENCE', name, 'rrweb, video')))
}

/** Where XAUTHORITY is not set, X looks for its cookie in the home: the browser's own home is another one. */
function display(environment: Environment): Record<string, string> {
  const usual = join(homedir(), '.Xauthority')
  return {
    ...(existsSync(usual) && { XAUTHORITY: usual }),
    ...picked(environment, ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_RUNTIME_DIR']),
  }
}

/** The one name beside MOLAR_SECRET itself that no scenario's secret can have. */
const previousName = 'MOLAR_SECRET_PREVIOUS'

function localSecrets(environment: Environment): Record<string, string> {
  const { [previousName]: _ours, ...others } = environment
  return prefixed(others, 'MOLAR_SECRET_')
}
