import type { Command as Parser } from 'commander'
import type { Config } from '../config.ts'
import type { Command } from '../core/command.ts'
import type { Credential, Services } from '../core/context.ts'
import type { Streams, Terminal } from './terminal.ts'

/** What the CLI needs of the rest of Molar: each part is imported when a verb asks for it, and not before. */
export interface Outside {
  version: string
  /** Where it reads and writes; the process's own where absent. */
  streams?: Streams
  /** bin/molar.js: what a verb starts as a child. */
  entry: string
  /** What children that are Molar themselves inherit. */
  environment: Record<string, string>
  /** Throws where the environment holds a wrong value, so only verbs that need it ask. */
  config(): Config
  commands(): Promise<readonly Command[]>
  /**
   * `worker`: runs are executed in this process as well, `later`: from the first one on; `window`: where they can be seen.
   * `role`: its name among the database's connections.
   */
  openLocal(
    config: Config,
    log: Services['log'],
    options: { worker: boolean | 'later'; window?: boolean; role?: string },
  ): Promise<Local>
}

/** This machine's own Molar, and the key of its owner. */
export interface Local {
  services: Services
  credential: Credential
  close(): Promise<void>
}

/** What a verb works with. `json`: the answer alone, as one JSON document. */
export interface Cli extends Outside {
  terminal: Terminal
  json: boolean
}

/** A verb that is no command of the registry. Answers the exit code. */
export interface Verb {
  /** Adds arguments and options. */
  define(parser: Parser): void
  run(given: { args: string[]; options: Options }, cli: Cli): Promise<number>
}

export type Options = Record<string, string | string[] | boolean | undefined>
