import { archiveScenario } from './archive.ts'
import { compileScenarios } from './compile.ts'
import { getScenario } from './get.ts'
import { scenarioHistory } from './history.ts'
import { importScenarios } from './import.ts'
import { listScenarios } from './list.ts'
import { newScenario } from './new.ts'
import { syncScenarios } from './sync.ts'
import { uploadScenario } from './upload.ts'
import { validateScenarios } from './validate.ts'

export { type Asset, assetNames, storeAssets } from './assets.ts'
export type { Compiled, SourceFile } from './compiled.ts'
export { compiler } from './compiler.ts'
export { noScenario } from './get.ts'
export { passwordIn, warningsOf, withoutPasswords } from './language/passwords.ts'
export type { PlanSettings, PlanStep, StepPlan, Target } from './plan.ts'
export type { RuntimeEnvironment, RuntimeEvent } from './runtime/environment.ts'
export type { Session } from './runtime/session.ts'
export type { Want } from './runtime/stages.ts'
export { saveCompiled } from './save.ts'
export { findAsset, findScenario, findTexts, findVersion, type ScenarioText } from './store.ts'
export const scenarioCommands = [
  newScenario,
  validateScenarios,
  uploadScenario,
  syncScenarios,
  listScenarios,
  getScenario,
  scenarioHistory,
  compileScenarios,
  importScenarios,
  archiveScenario,
]
