/** How news from a provider reaches the payment it belongs to, running, ended or not known yet. */
import type { HoldfastClient } from '../client/client.js';
import { adoptedPaymentId } from '../client/adoption.js';
import type { PaymentId } from '../domain/ids.js';
import type { Subject } from '../domain/subject.js';
import type { StoredNotification } from '../store/inbox.js';
import type { Store } from '../store/store.js';

type News = Pick<StoredNotification, 'verdict' | 'facts'>;

export function noticeOf({ verdict, facts }: News) {
  return verdict === 'hint' ? { facts: [], hint: true } : { facts };
}

export interface DeliveryContext {
  readonly store: Store;
  readonly client: Pick<HoldfastClient, 'notify' | 'resume' | 'adopt'>;
}

export type Delivery =
  | { readonly kind: 'delivered'; readonly paymentId: PaymentId }
  /** It is for a payment that nobody knows (yet), or tells of none. */
  | { readonly kind: 'unknown' };

/**
 * Hands news to its payment: the one that the URL named, that the object is known to belong to, or
 * that expected it. An object of no payment that is proven to exist becomes a payment of its own.
 */
export async function deliver(
  context: DeliveryContext,
  notification: StoredNotification,
): Promise<Delivery> {
  const paymentId = await addresseeOf(context, notification);
  if (paymentId === undefined) return adopt(context, notification);
  const { store, client } = context;
  const notice = noticeOf(notification);
  if ((await client.notify(paymentId, notice)) === 'delivered') {
    return { kind: 'delivered', paymentId };
  }
  if (!(await store.getPayment(paymentId))) return { kind: 'unknown' };
  if (!(await isOldNews(store, paymentId, notification))) await client.resume(paymentId, notice);
  return { kind: 'delivered', paymentId };
}

/**
 * Adopts what a notification proves to exist. `unknown` where it proves nothing.
 *
 * @param notification where its URL named a payment, that one is begun anew from it
 */
export async function adopt(
  { client, store }: DeliveryContext,
  notification: StoredNotification,
): Promise<Delivery> {
  const proven = provenObject(notification);
  if (!proven) return { kind: 'unknown' };
  const { connectionId, facts, paymentId } = notification;
  const known = paymentId ?? adoptedPaymentId(connectionId, proven.providerReference);
  if (await store.getPayment(known)) {
    await client.resume(known, { facts });
    return { kind: 'delivered', paymentId: known };
  }
  const adopted = await client.adopt({
    connectionId,
    ...proven,
    facts,
    ...(paymentId !== undefined && { paymentId }),
  });
  return { kind: 'delivered', paymentId: adopted };
}

function provenObject({
  verdict,
  facts,
  subject,
  providerReference,
}: StoredNotification):
  { readonly providerReference: string; readonly subject: Subject } | undefined {
  if (verdict !== 'facts' || !subject || providerReference === undefined) return undefined;
  // What went back says too little of what came in: it waits for that to be known.
  const isOfItself = facts.some(({ kind }) => kind !== 'refunded' && kind !== 'refund_reversed');
  return isOfItself ? { providerReference, subject } : undefined;
}

async function addresseeOf(
  { store }: DeliveryContext,
  { paymentId, connectionId, providerReference, subject }: StoredNotification,
): Promise<PaymentId | undefined> {
  if (paymentId !== undefined) return paymentId;
  const known =
    providerReference === undefined
      ? undefined
      : await store.findPaymentId({ connectionId, providerReference });
  return known ?? (subject && (await store.expectations.find(connectionId, subject)));
}

async function isOldNews(
  store: Store,
  paymentId: PaymentId,
  { verdict, facts }: News,
): Promise<boolean> {
  return (
    verdict === 'facts' &&
    store.hasFacts(
      paymentId,
      facts.map(({ id }) => id),
    )
  );
}
