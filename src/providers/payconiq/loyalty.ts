/**
 * Payconiq's loyalty registrations (PCQ-21): signed like callbacks, about payments of members of a
 * scheme of ours.
 */
import { z } from 'zod';
import { money } from '../../domain/money.js';
import type { Violation } from '../../domain/problem.js';
import type { KeySource } from '../../transport/jws.js';
import { violationsOf, type LoyaltyCapability, type LoyaltyReceipt } from '../provider.js';
import { callbackViolation, claimedProfile, verifySignature } from './auth.js';

const MAX_BYTES = 64 * 1024;

const accountRule = 'must be text of 1 to 256 characters';
const account = z.string(accountRule).min(1, accountRule).max(256, accountRule);
const centsRule = 'must be an integer from 1 to 999999';

/** @see payconiq.txt L748-775 */
const registrationBody = z.looseObject(
  {
    userAccountId: account,
    merchantAccountId: account.nullish(),
    payment: z.looseObject(
      {
        paymentId: z
          .string('must be text of 24 characters')
          .length(24, 'must be text of 24 characters'),
        amount: z.int(centsRule).min(1, centsRule).max(999_999, centsRule),
        currency: z.literal('EUR', 'must be EUR').nullish(),
      },
      'must be an object',
    ),
  },
  'must be a JSON object',
);

/** @see payconiq.txt L732-810 */
export function payconiqLoyalty(context: {
  readonly profileId: string;
  readonly keys: KeySource;
  /** To the member, where the scheme says nothing else. */
  readonly message: string;
}): LoyaltyCapability {
  return {
    maxBytes: MAX_BYTES,
    async receive({ headers, body, url }) {
      const signature = headers['signature'];
      if (signature === undefined) return { kind: 'forged', reason: 'no signature header' };
      const verdict = await verifySignature(signature, body, context.keys);
      if (verdict.kind !== 'valid') return verdict;
      const profileId = claimedProfile(verdict.header);
      const violation = callbackViolation(verdict.header, { profileId, callbackUrl: url });
      if (violation !== undefined) return { kind: 'forged', reason: violation };
      if (profileId !== context.profileId) {
        return { kind: 'foreign', reason: 'claim sub is not our profile id' };
      }
      return translate(signature, body);
    },
    // 202: accepted, not processed yet; 201: processed. Both with a message (L797-799).
    answer: (result) => ({
      status: result ? 201 : 202,
      body: { ...result, message: result?.message ?? context.message },
    }),
  };
}

function translate(signature: string, body: Uint8Array): LoyaltyReceipt {
  const parsed = registrationBody.safeParse(jsonOf(body));
  if (!parsed.success) {
    return { kind: 'invalid', violations: violationsOf(parsed.error).map(named) };
  }
  const { userAccountId: memberId, merchantAccountId, payment } = parsed.data;
  return {
    kind: 'registration',
    providerReference: payment.paymentId,
    member: { memberId, ...(merchantAccountId && { merchantAccountId }) },
    amount: money(payment.amount, 'EUR'),
    signature,
  };
}

function named({ field, rule }: Violation): Violation {
  return { field: field === '' ? 'body' : field, rule };
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
