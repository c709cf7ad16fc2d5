import type { PlanStep } from '../plan.ts'
import { urlQuestion } from './assertions.ts'
import { plainReason, StepFailure } from './failure.ts'
import { countNow, lookUntil, stateHolds, textHolds, undecidedFailure, type Verdict, wantOfState } from './holds.ts'
import { awaitRequest, awaitResponse } from './network.ts'
import type { Want } from './stages.ts'
import type { SessionState } from './state.ts'
import { textOf } from './state.ts'
import { describeTarget } from './targets.ts'
import type { Deadline } from './waiting.ts'
import { inWords, pause, timeLeft } from './waiting.ts'

export type WaitStep = Extract<
  PlanStep,
  { verb: 'wait_time' | 'wait_target' | 'wait_text' | 'wait_url' | 'wait_response' | 'wait_request' | 'wait_webhook' }
>

export async function waitStep(state: SessionState, step: WaitStep, deadline: Deadline): Promise<void> {
  switch (step.verb) {
    case 'wait_time':
      return pause(step.ms)
    case 'wait_target':
      return waitForTarget(state, step, deadline)
    case 'wait_text': {
      const text = textOf(state, step.value)
      return waitUntilHolds(state, deadline, `the text "${text}" to be ${step.state}`, 'see', () =>
        textHolds(state, text, step.state),
      )
    }
    case 'wait_url': {
      const { expected, look } = urlQuestion(state, step.match, textOf(state, step.pattern))
      return waitUntilHolds(state, deadline, expected, 'see', look)
    }
    case 'wait_request':
      return awaitRequest(state.traffic, { method: step.method, pattern: textOf(state, step.pattern) }, deadline)
    case 'wait_response': {
      const query = { method: step.method, pattern: textOf(state, step.pattern) }
      return awaitResponse(
        state.traffic,
        step.status === undefined ? query : { ...query, status: step.status },
        deadline,
      )
    }
    case 'wait_webhook':
      return waitForWebhook(state, step, deadline)
  }
}

async function waitForTarget(
  state: SessionState,
  step: PlanStep & { verb: 'wait_target' },
  deadline: Deadline,
): Promise<void> {
  const { target, count } = step
  const name = describeTarget(target)
  if (count === undefined) {
    const want = wantOfState(step.state)
    return waitUntilHolds(state, deadline, `${name} to be ${step.state}`, want, () =>
      stateHolds(state, target, step.state, deadline),
    )
  }
  await waitUntilHolds(state, deadline, `${count} ${name}`, 'see', async () => {
    const now = await countNow(state, target)
    return { holds: now === count, actual: String(now) }
  })
}

async function waitUntilHolds(
  state: SessionState,
  deadline: Deadline,
  expected: string,
  want: Want,
  look: () => Promise<Verdict> | Verdict,
): Promise<void> {
  const verdict = await lookUntil(deadline, false, look)
  if (verdict.passed) return
  const { actual } = verdict
  const details = verdict.undecided ? await undecidedFailure(state, verdict.undecided, want, deadline) : undefined
  const why = details ? ` ${details.message}` : ''
  throw new StepFailure('action', `Waited ${inWords(deadline.ms)} for ${expected}, but it is ${actual}.${why}`, {
    ...details,
    expected,
    actual,
  })
}

async function waitForWebhook(
  state: SessionState,
  { kind, event }: { kind: string; event: string },
  deadline: Deadline,
): Promise<void> {
  const { waitForWebhook: wait } = state.environment
  const name = `${kind}.${event}`
  if (!wait) throw new StepFailure('environment', `This run has no clones, so no webhook ${name} can come.`)
  try {
    await wait({ kind, event, timeoutMs: timeLeft(deadline) })
  } catch (error) {
    throw new StepFailure('action', `The webhook ${name} did not come: ${plainReason(error)}`, {
      expected: `webhook ${name}`,
      actual: `none within ${inWords(deadline.ms)}`,
    })
  }
}
