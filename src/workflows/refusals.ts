/** What updates are refused with, in words and with a type that callers know. */
import { ApplicationFailure } from '@temporalio/workflow';
import { UPDATE_REFUSALS } from './contract.js';

export function refusal(type: keyof typeof UPDATE_REFUSALS, message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, UPDATE_REFUSALS[type]);
}

const MAX_WORDS = 200;

/**
 * For validators: a text that somebody writes for those who ask later.
 *
 * @throws ApplicationFailure `invalid_request`
 */
export function checkWords(field: string, words: unknown): void {
  if (typeof words === 'string' && words !== '' && words.length <= MAX_WORDS) return;
  throw refusal('invalid', `${field}: must have 1 to ${MAX_WORDS} characters`);
}
