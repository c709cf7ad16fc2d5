import { fail } from '../../core/errors.ts'
import type { Project, WebServer } from '../../core/scenarios/language/index.ts'

export interface Surroundings {
  /** Over what scenarios say of themselves; undefined leaves it to them. */
  baseUrl: string | undefined
  /** The project with the variables of the environment that was chosen. */
  project: Project | undefined
  /** What has to be started first: nothing where the scenarios run elsewhere. */
  webServer: WebServer | undefined
}

/** What `--env` and `--base-url` make of the project file. Throws `bad_request` that names the environments there are. */
export function surround(
  project: Project | undefined,
  given: { env: string | undefined; baseUrl: string | undefined },
): Surroundings {
  const chosen = given.env === undefined ? undefined : project?.environments[given.env]
  if (given.env !== undefined && !chosen) {
    const names = Object.keys(project?.environments ?? {})
    const which =
      names.length > 0
        ? `It has ${names.join(', ')}.`
        : 'Write environments: { staging: https://… } into its front matter.'
    fail('bad_request', `--env ${given.env}: the project file .molar.md has no such environment. ${which}`)
  }
  const baseUrl = given.baseUrl ?? chosen?.base_url
  const server = project?.web_server
  const elsewhere =
    baseUrl !== undefined && server !== undefined && new URL(baseUrl).origin !== new URL(server.url).origin
  return {
    baseUrl,
    project: project && {
      ...project,
      base_url: project.base_url ?? (server && new URL(server.url).origin),
      variables: { ...project.variables, ...chosen?.variables },
    },
    webServer: elsewhere ? undefined : server,
  }
}
