/** Tables and columns by better-auth's names. A field that is not here is not kept: pictures, providers' tokens. */
const models = {
  user: {
    table: 'users',
    columns: {
      id: 'id',
      email: 'email',
      name: 'name',
      emailVerified: 'email_verified',
      twoFactorEnabled: 'two_factor_enabled',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
  session: {
    table: 'sessions',
    columns: {
      id: 'id',
      userId: 'user_id',
      token: 'fingerprint',
      activeOrgId: 'active_org_id',
      ipAddress: 'ip_address',
      userAgent: 'user_agent',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
      expiresAt: 'expires_at',
    },
  },
  account: {
    table: 'accounts',
    columns: {
      id: 'id',
      userId: 'user_id',
      providerId: 'provider',
      accountId: 'subject',
      password: 'password_hash',
      scope: 'scope',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
  verification: {
    table: 'verifications',
    columns: {
      id: 'id',
      identifier: 'identifier',
      value: 'value',
      expiresAt: 'expires_at',
      createdAt: 'created_at',
      updatedAt: 'updated_at',
    },
  },
  twoFactor: {
    table: 'two_factors',
    columns: {
      id: 'id',
      userId: 'user_id',
      secret: 'secret',
      backupCodes: 'backup_codes',
      verified: 'verified',
      failedVerificationCount: 'failed_count',
      lockedUntil: 'locked_until',
    },
  },
  passkey: {
    table: 'passkeys',
    columns: {
      id: 'id',
      userId: 'user_id',
      name: 'name',
      publicKey: 'public_key',
      credentialID: 'credential_id',
      counter: 'counter',
      deviceType: 'device_type',
      backedUp: 'backed_up',
      transports: 'transports',
      aaguid: 'aaguid',
      createdAt: 'created_at',
    },
  },
} as const satisfies Record<string, { table: string; columns: Record<string, string> }>

/** A model of better-auth's as it is kept. */
export interface Model {
  name: string
  table: string
  columns: Record<string, string>
}

export function modelOf(name: string): Model {
  if (!Object.hasOwn(models, name)) throw new Error(`better-auth asks for ${name}, which has no table here`)
  return { name, ...models[name as keyof typeof models] }
}

export function columnOf(model: Model, field: string): string {
  return model.columns[field] ?? unknown(model, field)
}
export const unknown = (model: Model, field: string): never => {
  throw new Error(`better-auth asks for ${model.name}.${field}, which has no column here`)
}
