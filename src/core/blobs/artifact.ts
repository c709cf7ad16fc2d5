/** What a trace is made of. Of a kind there may be several, told apart by name. */
export const artifactKinds = [
  'screenshot',
  'video',
  'har',
  'trace',
  'console',
  'report',
  'ndjson',
  'summary',
  'rrweb',
  'dom',
  'download',
] as const
export type ArtifactKind = (typeof artifactKinds)[number]

export interface Artifact {
  kind: ArtifactKind
  name: string
  sha256: string
  media_type: string
  size: number
  step_id: string | null
}
