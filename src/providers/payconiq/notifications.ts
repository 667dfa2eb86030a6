/** Payconiq's callbacks (PCQ-16): signed, so what they say is believed. */
import { sha256Hex } from '../../transport/digest.js';
import type { KeySource } from '../../transport/jws.js';
import type { NotificationCapability, RawNotification, Receipt } from '../provider.js';
import { callbackViolation, verifySignature } from './auth.js';
import { factsOf, payerOf, subjectOf } from './mapping.js';
import { callback, parseBody } from './wire.js';

const MAX_BYTES = 64 * 1024;

/** @see payconiq.txt L382-641 */
export function payconiqNotifications(context: {
  readonly profileId: string;
  readonly keys: KeySource;
  readonly now: () => number;
  readonly notificationUrl: (paymentId?: string) => string | undefined;
}): NotificationCapability {
  return {
    successStatus: 200,
    maxBytes: MAX_BYTES,
    async receive(notification) {
      const jws = notification.headers['signature'];
      if (jws === undefined) return { kind: 'forged', reason: 'no signature header' };
      const verdict = await verifySignature(jws, notification.body, context.keys);
      if (verdict.kind !== 'valid') return verdict;
      const violation = callbackViolation(verdict.header, {
        profileId: context.profileId,
        callbackUrl: context.notificationUrl(notification.paymentId),
      });
      if (violation !== undefined) return { kind: 'forged', reason: violation };
      return translate(notification, eventIdOf(jws, notification.body), context.now());
    },
  };
}

/** A repeat is the same to the byte, so equal bytes are the same event (L416-417). */
function eventIdOf(jws: string, body: Uint8Array): string {
  return sha256Hex(Buffer.concat([Buffer.from(jws), Buffer.from('\n'), body]));
}

/** Verified, so never refused any more: what is not understood is a reason to ask. */
function translate(notification: RawNotification, eventId: string, nowMs: number): Receipt {
  const statement = parseBody(callback, notification.body);
  if (!statement) return { kind: 'hint', eventId };
  const providerReference = statement.paymentId;
  const facts = factsOf(statement, { source: 'notification', atMs: nowMs });
  if (!facts) return { kind: 'hint', eventId, providerReference };
  const payer = payerOf(statement);
  const told = { eventId, providerReference, facts, subject: subjectOf(statement) };
  return { kind: 'facts', ...told, ...(payer && { payer }) };
}
