import type { z } from 'zod'
import type { HandlerContext } from './context.ts'
import type { ErrorCode } from './errors.ts'
import type { Power, PrincipalKind, Scope } from './principal.ts'

/** `GET /v1/runs/{id}`, or where a route differs from its command: status, query, headers, envelope. */
export type RouteSpec =
  | `${Method} /${string}`
  | {
      route: `${Method} /${string}`
      /** Status of a plain success; 200 unless told. */
      status?: number
      /** Input fields fixed by this route. */
      fixed?: Record<string, unknown>
      /** Answer `output[unwrap]` alone (a bare array), where the contract has it so. */
      unwrap?: string
      /** A list's items under this name, as `{orgs}`; with `count` their number beside them, as `{tokens, count}`. */
      envelope?: string | { items: string; count: true }
      /** Sent as an attachment with this file name; needs `render`. */
      attachment?: string
      /** Streams as server-sent events even when the client asks for nothing. */
      stream?: boolean
    }

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** read: changes nothing. write: adds or changes. destroy: what it removes cannot be brought back. */
export type Effect = 'read' | 'write' | 'destroy'

export interface Access {
  scope: Scope
  /** What the caller's role in the org must give; `read` for reads and `work` for writes when absent. */
  power?: Power
  /** Kinds of credential that may call; all that act for an org when absent. */
  credentials?: readonly PrincipalKind[]
  /**
   * false: it concerns the person and not one of their orgs. It runs under the installation's own org with the person's
   * eyes, takes no power, and needs a credential that has a person.
   */
  tenant?: false
  /**
   * The input field that names the org which is meant, by id or slug; the caller's own when it is left out. Where the
   * caller is no member, there is no such org: not_found.
   */
  org?: string
  /** true: no credential is needed. Who shows one is still held to it. */
  public?: true
  /** true: a person who is signed in must have come in a moment ago, and is asked to do so again where it is longer. */
  fresh?: true
}

export type Emit<Event> = (event: Event) => Promise<void> | void

export interface Example<Input, Output> {
  /** What the example shows, in words: the test's name. */
  title: string
  input: Input
  /** A subset of the answer: values that must be there; ids and times that vary are left out. */
  output?: Output
  error?: ErrorCode
}

// biome-ignore lint/suspicious/noExplicitAny: the one place where commands of all shapes meet
export type AnyObject = z.ZodObject<any>

/** A list command whose items have the wanted value in `field`; `input` narrows the list. */
export interface Completion {
  list: string
  field: string
  input?: Record<string, unknown>
}

export interface CommandSpec<Input extends AnyObject, Output extends AnyObject, Event extends z.ZodType = z.ZodNever> {
  /** noun.verb: the operationId, `molar noun verb`, and by default the toolset. */
  name: `${string}.${string}`
  /** The MCP tool's name. */
  tool: string
  /** A tool outside the default set is reached by its toolset. */
  toolset?: { name?: string; default?: boolean }
  title: string
  /** One or two sentences that tell an agent when to use it and what comes back. Counted in tokens: be short. */
  summary: string
  input: Input
  output: Output
  rest: RouteSpec | readonly RouteSpec[]
  access: Access
  effect: Effect
  /** A write that may be repeated without another effect. */
  repeatable?: boolean
  /** It reaches what lies outside Molar, as a run reaches the application. */
  openWorld?: boolean
  /**
   * Beside the org's reads or writes a minute: `ingest` has an allowance of its own, `entry` (whatever hands out access) is
   * counted by the caller's address too.
   */
  rate?: 'ingest' | 'entry'
  errors: readonly ErrorCode[]
  /** The MCP resource that reads the same. `map` turns the URI's variables into input where the names differ. */
  resource?: {
    uri: string
    name: string
    mimeType?: string
    map?: (variables: Record<string, string>) => Record<string, unknown>
    /** Where values of the URI's variables are found while a person types one. */
    complete?: Record<string, Completion>
    /**
     * For subscriptions: once it resolves, every later change is yielded, one item each; it ends when there will be no
     * more. Give up when the context's signal aborts.
     */
    changes?: (input: z.output<Input>, context: HandlerContext) => Promise<AsyncIterable<unknown>>
  }
  /** Input fields that the CLI takes as positionals beyond the path's own, in order. A list field takes the rest. */
  positionals?: readonly string[]
  /** Input field that holds what the caller may name: shown as the audit event's target. */
  target?: (input: z.output<Input>, output: z.output<Output> | undefined) => string | undefined
  examples: readonly Example<z.input<Input>, DeepPartial<z.output<Output>>>[]
  /** What it tells while it works: SSE, MCP progress, lines on the CLI. The result is the same everywhere. */
  events?: Event
  /** Progress text of an event, for doors that show one line. */
  line?: (event: z.output<Event>) => string | undefined
  /** The answer as Markdown: MCP text, text/markdown, the terminal. */
  render?: (output: z.output<Output>) => string
  /** Where the answer lies: 302, a resource link, a printed URL. */
  redirect?: (output: z.output<Output>) => string
  /** Before a write's transaction: reads and I/O that it needs and that do no harm if it never commits. */
  prepare?: (input: z.output<Input>, context: HandlerContext) => Promise<void>
  /**
   * A read runs its statements as they come. A write's handler is one transaction: its rows, its audit event and the
   * stored answer commit together, so it never waits or streams; `follow` does.
   */
  handler: (input: z.output<Input>, context: HandlerContext, emit: Emit<z.output<Event>>) => Promise<z.input<Output>>
  /** After a write has committed: waits or streams, and gives the answer. Runs again when a stored answer is given out. */
  follow?: (
    output: z.output<Output>,
    input: z.output<Input>,
    context: HandlerContext,
    emit: Emit<z.output<Event>>,
  ) => Promise<z.input<Output>>
}

type DeepPartial<T> = T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T

/** A command whose shapes are no longer known to the compiler: what doors and `call()` work with. */
// biome-ignore lint/suspicious/noExplicitAny: see AnyObject
export type Command = Omit<CommandSpec<AnyObject, AnyObject, z.ZodType<any>>, 'toolset' | 'rest'> & {
  noun: string
  verb: string
  toolset: { name: string; default: boolean }
  routes: readonly Route[]
}

export interface Route {
  method: Method
  path: string
  status: number
  fixed: Record<string, unknown>
  unwrap: string | undefined
  envelope: { items: string; count: boolean } | undefined
  attachment: string | undefined
  stream: boolean
}

/** Says once what Molar does; every door is generated from it. */
export function defineCommand<Input extends AnyObject, Output extends AnyObject, Event extends z.ZodType = z.ZodNever>(
  spec: CommandSpec<Input, Output, Event>,
): Command {
  const [noun = '', verb = ''] = spec.name.split('.')
  const rest = (Array.isArray(spec.rest) ? spec.rest : [spec.rest]) as readonly RouteSpec[]
  const { rest: _rest, ...facts } = spec
  return {
    ...(facts as unknown as Omit<Command, 'noun' | 'verb' | 'toolset' | 'routes'>),
    noun,
    verb,
    toolset: { name: spec.toolset?.name ?? noun, default: spec.toolset?.default ?? true },
    routes: rest.map(readRoute),
  }
}

function readRoute(spec: RouteSpec): Route {
  const facts = typeof spec === 'string' ? { route: spec } : spec
  const [method, path] = facts.route.split(' ') as [Method, string]
  const { envelope } = facts
  return {
    method,
    path,
    status: facts.status ?? 200,
    fixed: facts.fixed ?? {},
    unwrap: facts.unwrap,
    envelope: typeof envelope === 'string' ? { items: envelope, count: false } : envelope,
    attachment: facts.attachment,
    stream: facts.stream ?? false,
  }
}
