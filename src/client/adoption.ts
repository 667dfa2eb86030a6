/** Payments that began at a provider without us: what is asked of Holdfast to carry them. */
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { PaymentRequest } from '../domain/payment.js';
import type { Subject } from '../domain/subject.js';
import { sha256Hex } from '../transport/digest.js';

/** An object of the provider's that belongs to no payment we know. */
export interface AdoptedObject {
  readonly connectionId: string;
  readonly providerReference: string;
  readonly subject: Subject;
  /** Proven by the provider. */
  readonly facts: readonly Fact[];
  /** Where it was given one of ours that we know nothing of any more. */
  readonly paymentId?: PaymentId;
}

/** Enough that no two ever meet. */
const ID_DIGEST_LENGTH = 32;

export function adoptedPaymentId(connectionId: string, providerReference: string): PaymentId {
  const digest = sha256Hex(`${connectionId}\n${providerReference}`);
  return `adopted_${digest.slice(0, ID_DIGEST_LENGTH)}`;
}

/** Nobody asked for a capture, so none is made before somebody decides, or the deadline does. */
export function adoptedRequest(
  { connectionId, providerReference, subject }: AdoptedObject,
  paymentId: PaymentId,
): PaymentRequest {
  const { reference, description, amount, createdAt } = subject;
  return {
    paymentId,
    connectionId,
    amount,
    captureMode: 'manual',
    origin: 'adopted',
    merchantReference: reference ?? providerReference,
    ...(description !== undefined && { description }),
    requestedAt: createdAt,
  };
}
