import { ApplicationFailure } from '@temporalio/common';
import {
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  upsertMemo,
} from '@temporalio/workflow';
import { canary } from './canaries.js';

export interface CanaryActivities {
  whisper(secret: string): Promise<string>;
  fail(): Promise<void>;
  answer(secret: string): Promise<string>;
}

const { whisper, fail } = proxyActivities<CanaryActivities>({
  startToCloseTimeout: '10 s',
  retry: { maximumAttempts: 2, initialInterval: 1 },
});
const { answer } = proxyLocalActivities<CanaryActivities>({ startToCloseTimeout: '10 s' });

export const heardSignal = defineSignal<[string]>('heard');
export const tellUpdate = defineUpdate<string, [string]>('tell');
export const refuseUpdate = defineUpdate<void>('refuse');
export const whatQuery = defineQuery<string, [string]>('what');
export const failingQuery = defineQuery<string>('failing');

/** Sends a canary every way that a workflow's data can go, and fails with one. */
export async function everyWay(argument: string): Promise<void> {
  let heard = '';
  setHandler(heardSignal, (secret) => {
    heard = secret;
  });
  setHandler(tellUpdate, (secret) => canary('update-result') + secret.length);
  setHandler(refuseUpdate, () => {
    throw ApplicationFailure.nonRetryable(canary('update-refusal'), 'refused');
  });
  setHandler(whatQuery, (secret) => {
    return secret === canary('query-argument') ? canary('query-result') : 'not decrypted';
  });
  setHandler(failingQuery, () => {
    throw new Error(canary('query-failure'));
  });
  if (argument !== canary('argument')) throw ApplicationFailure.nonRetryable('not decrypted');
  setCurrentDetails(canary('current-details'));
  upsertMemo({ upserted: canary('upserted-memo') });
  await sleep(1, { summary: canary('timer-summary') });
  await whisper.executeWithOptions({ summary: canary('activity-summary') }, [
    canary('activity-argument'),
  ]);
  await answer(canary('local-argument'));
  const failure = await fail().catch((error: unknown) => error as Error);
  await condition(() => heard !== '');
  const rethrown = ApplicationFailure.create({
    message: canary('rethrown'),
    cause: failure as Error,
  });
  throw ApplicationFailure.create({
    message: canary('end-message'),
    type: 'planned',
    details: [canary('end-details')],
    cause: rethrown,
    nonRetryable: true,
  });
}

export function result(): Promise<string> {
  return Promise.resolve(canary('result'));
}

/** Ends with the first signal. */
export async function untilHeard(): Promise<string> {
  let heard = '';
  setHandler(heardSignal, (secret) => {
    heard = secret;
  });
  await condition(() => heard !== '');
  return heard;
}
