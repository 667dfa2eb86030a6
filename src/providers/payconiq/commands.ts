/** Commands on a payment that exists: acknowledge (≙ capture), DELETE (≙ void and cancel). */
import { fact } from '../../domain/facts.js';
import type { Money } from '../../domain/money.js';
import type { NotSent, Outcome } from '../../domain/outcome.js';
import type { Problem } from '../../domain/problem.js';
import { unexpectedAnswer } from '../../transport/classify.js';
import type { Intent, Operation } from '../provider.js';
import { refusalOf } from './api.js';
import type { PaymentsContext } from './context.js';
import { factsOf, statusMeaning } from './mapping.js';
import { PAYMENTS_PATH, pathPart, unclear } from './reads.js';
import type { Details } from './wire.js';

export function payconiqCommands({ settings, callApi, reads, now, deadline }: PaymentsContext): {
  readonly capture: Operation;
  readonly void: Operation;
  readonly cancel: Extract<Operation, { find: unknown }>;
} {
  // --- acknowledge (PCQ-07): may be called many times -----------------------------------------

  const capture: Operation = {
    recovery: 'repeat',
    async send(intent) {
      const { providerReference = '', request, amount, tip } = intent;
      if (!amount) return withoutAmount();
      const deadlineMs = deadline();
      const answer = await callApi({
        method: 'POST',
        path: settings.acknowledgePath.replace('{paymentId}', () => pathPart(providerReference)),
        body: {
          amount: Number(BigInt(amount.minor) - BigInt(tip?.minor ?? '0')),
          currency: amount.currency,
          reference: request.merchantReference,
        },
        size: 'payment',
        connection: 'fresh',
        deadlineMs,
        latestWriteAtMs: intent.latestWriteAtMs,
      });
      if (answer.kind !== 'answered') return answer;
      if (answer.status === 204) return acknowledged(intent, amount);
      const refusal = refusalOf(answer);
      if (refusal.kind !== 'ask') return refusal;
      return settle(intent, 'captured', refusal.problem, deadlineMs);
    },
  };

  function acknowledged({ providerReference = '', tip }: Intent, amount: Money): Outcome {
    const occurredAt = new Date(now()).toISOString();
    const object = providerReference;
    return {
      kind: 'succeeded',
      value: null,
      facts: [
        fact({
          kind: 'captured',
          object,
          amount,
          ...(tip && { tip }),
          occurredAt,
          source: 'answer',
        }),
      ],
    };
  }

  // --- DELETE (PCQ-08, PCQ-09): what it did depends on the state at its arrival -----------------

  const sendDelete = async (intent: Intent): Promise<Outcome> => {
    const deadlineMs = deadline();
    const answer = await callApi({
      method: 'DELETE',
      path: `${PAYMENTS_PATH}/${pathPart(intent.providerReference)}`,
      size: 'payment',
      connection: 'fresh',
      deadlineMs,
      latestWriteAtMs: intent.latestWriteAtMs,
    });
    if (answer.kind !== 'answered') return answer;
    if (answer.status === 204) return settle(intent, 'released', undefined, deadlineMs);
    const refusal = refusalOf(answer);
    if (refusal.kind !== 'ask') return refusal;
    return settle(intent, 'released', refusal.problem, deadlineMs);
  };

  const voidOperation: Operation = { recovery: 'repeat', send: sendDelete };

  const cancel: Extract<Operation, { find: unknown }> = {
    recovery: 'fetch',
    send: sendDelete,
    async find(intent) {
      const current = await reads.details(intent.providerReference ?? '', deadline());
      if (current.kind !== 'found') return unclear(current.problem);
      const status = statusMeaning(current.details.status);
      if (status && !status.isFinal && status.proves[0] !== 'authorized' && status.isReleasable) {
        return { kind: 'absent' };
      }
      const outcome = judge(intent, 'released', current.details, undefined);
      return outcome.kind === 'succeeded' || outcome.kind === 'declined'
        ? { kind: 'settled', outcome }
        : unclear('problem' in outcome ? outcome.problem : notPending(current.details.status));
    },
  };

  // --- what a command came to, from the payment's details ---------------------------------------

  async function settle(
    intent: Intent,
    wanted: 'captured' | 'released',
    refusal: Problem | undefined,
    deadlineMs: number,
  ): Promise<Outcome> {
    const current = await reads.details(intent.providerReference ?? '', deadlineMs);
    if (current.kind === 'found') return judge(intent, wanted, current.details, refusal);
    return { kind: 'unknown', problem: refusal ?? current.problem };
  }

  function judge(
    intent: Intent,
    wanted: 'captured' | 'released',
    current: Details,
    refusal: Problem | undefined,
  ): Outcome {
    const meaning = statusMeaning(current.status);
    const facts = factsOf(current, { source: 'query', atMs: now() });
    if (!meaning || !facts) return unexpectedAnswer(`unknown status ${current.status}`);
    const goals = wanted === 'captured' ? ['captured'] : ['voided', 'canceled'];
    if (meaning.proves.some((kind) => goals.includes(kind))) {
      return { kind: 'succeeded', value: null, facts };
    }
    const isBeyondUs = wanted === 'released' && refusal !== undefined && !meaning.isReleasable;
    const isOver = meaning.isFinal || isBeyondUs;
    const isOvertaken = intent.operation === 'cancel' && meaning.proves[0] === 'authorized';
    const problem = refusal ?? notPending(current.status);
    return isOver || isOvertaken
      ? { kind: 'declined', facts, problem }
      : { kind: 'unknown', problem: { ...problem, code: 'no_answer' } };
  }

  return { capture, void: voidOperation, cancel };
}

function withoutAmount(): NotSent {
  const problem: Problem = { code: 'invalid_request', message: 'a capture needs an amount' };
  return { kind: 'not_sent', cause: 'rejected', problem };
}

function notPending(status: string): Problem {
  return {
    code: 'not_pending',
    providerCode: status,
    message: `the payment is ${status} at Payconiq`,
  };
}
