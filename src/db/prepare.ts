import { installQueue } from './install-queue.ts'
import { type MigrateOptions, migrate } from './migrate.ts'

/** Everything the owner does before the application starts: the schema, the roles, the queue. Safe to run at any time. */
export async function prepareDatabase(ownerUrl: string, options: MigrateOptions): Promise<string[]> {
  const applied = await migrate(ownerUrl, options)
  await installQueue(ownerUrl, { log: options.log })
  return applied
}
