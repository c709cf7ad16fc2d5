import { runArtifact } from './artifact.ts'
import { cancelRun } from './cancel.ts'
import { getRun } from './get.ts'
import { ingestRun } from './ingest.ts'
import { listRuns } from './list.ts'
import { runLogs } from './logs.ts'
import { openRun } from './open.ts'
import { rerunRun } from './rerun.ts'
import { startRun } from './start.ts'
import { startManyRuns } from './start-many.ts'
import { waitRun } from './wait.ts'

export { type Diagnosis, diagnose } from './diagnosis.ts'
export { documentsOf } from './documents.ts'
export { exampleOpenRunId, exampleReportHash, exampleRunId, exampleTraceId } from './example.ts'
export { followRun } from './follow.ts'
export { giveUpSilentRuns } from './give-up.ts'
export * as leaseStore from './lease-store.ts'
export { renderEvent } from './log-line.ts'
export { runNews } from './news.ts'
export { type RunJob, runQueue } from './queue.ts'
export { renderReport } from './report.ts'
export { eventKinds, type Failure, isEnded, type RunEvent, type RunStatus, runEvent, type StepResult } from './run.ts'
export { failureSignature } from './signature.ts'
export * as runStore from './store.ts'
export const runCommands = [
  startManyRuns,
  startRun,
  listRuns,
  getRun,
  waitRun,
  cancelRun,
  rerunRun,
  runLogs,
  runArtifact,
  openRun,
  ingestRun,
]
