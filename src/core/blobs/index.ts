export { type Artifact, type ArtifactKind, artifactKinds } from './artifact.ts'
export { type BlobStore, fileBlobs } from './files.ts'
export { blobLink, isLinkValid, linkSeconds } from './links.ts'
export { findArtifacts, insertArtifact, insertArtifacts, insertBlob } from './store.ts'
