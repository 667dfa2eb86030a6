/**
 * Where providers post their notifications: raw bytes → size → verified and translated → stored →
 * their success answer. The payment is told alongside; the dispatcher tells what this could not.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPaymentId, type PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import { NOTIFICATION_PATH } from '../providers/connections.js';
import type { NotificationCapability, Receipt } from '../providers/provider.js';
import type { NewNotification } from '../store/inbox.js';
import type { Context } from './api.js';
import { deliver, noticeOf } from './delivery.js';
import {
  providerDoor,
  received,
  refusal,
  unknownAddress,
  type Addressee,
} from './provider-door.js';

interface Addressed extends Addressee {
  /** Absent at the connection's own URL, for what began without us. */
  readonly paymentId?: PaymentId;
  readonly door: NotificationCapability;
}

/** To be registered as a plugin of its own: it reads bodies of any type. */
export function notificationDoor(app: FastifyInstance, context: Context): void {
  const addresseeOf = providerDoor(app, context, (request) => addressed(context, request));
  for (const address of [':connectionId/:paymentId/:token', ':connectionId/:token']) {
    app.post(`${NOTIFICATION_PATH}/${address}`, { schema: { hide: true } }, (request, reply) =>
      take(context, { request, to: addresseeOf(request) }, reply),
    );
  }
}

function addressed({ connections }: Context, { params }: FastifyRequest): Addressed {
  const { connectionId = '', paymentId, token = '' } = params as Partial<Record<string, string>>;
  const isOurs = connections.isNotificationToken(connectionId, paymentId, token);
  const door = connections.get(connectionId)?.notifications;
  if (!isOurs || !door || (paymentId !== undefined && !isPaymentId(paymentId))) {
    throw unknownAddress();
  }
  const { maxBytes } = door;
  return { connectionId, door, maxBytes, ...(paymentId !== undefined && { paymentId }) };
}

async function take(
  context: Context,
  { request, to }: { readonly request: FastifyRequest; readonly to: Addressed },
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { connectionId, paymentId, door } = to;
  const { headers, body } = received(request);
  const named = paymentId === undefined ? {} : { paymentId };
  const receipt = await door.receive({ headers, body, ...named });
  if (!isBelieved(receipt)) throw refusal(request, receipt, to);
  const notification: NewNotification = {
    connectionId,
    ...named,
    eventId: receipt.eventId,
    ...(receipt.providerReference !== undefined && {
      providerReference: receipt.providerReference,
    }),
    verdict: receipt.kind,
    facts: receipt.kind === 'facts' ? receipt.facts : [],
    ...(receipt.kind === 'facts' && receipt.subject && { subject: receipt.subject }),
    body,
    headers: worthKeeping(headers),
    receivedAt: new Date(context.now()).toISOString(),
  };
  const { id, isNew } = await context.store.inbox.add(notification);
  const payer = receipt.kind === 'facts' ? receipt.payer : undefined;
  if (isNew) tell(context, { id, notification, payer });
  if (paymentId !== undefined && payer) remember(context, paymentId, payer);
  return reply.code(door.successStatus).send();
}

type Believed = Extract<Receipt, { kind: 'facts' | 'hint' }>;

function isBelieved(receipt: Receipt): receipt is Believed {
  return receipt.kind === 'facts' || receipt.kind === 'hint';
}

/** Not awaited: the notification is safe already, and the dispatcher repeats what fails here. */
function tell(
  context: Context,
  {
    id,
    notification,
    payer,
  }: { readonly id: string; notification: NewNotification; payer: PayerData | undefined },
): void {
  const { client, store, background } = context;
  const { paymentId } = notification;
  background.run('telling a payment of a notification', async () => {
    if (paymentId !== undefined) {
      const reached = await client.notify(paymentId, noticeOf(notification));
      if (reached === 'delivered') await store.inbox.markDelivered(id);
      return;
    }
    const news = { ...notification, id, state: 'undelivered', deliveries: 1, attempts: 0 } as const;
    const delivery = await deliver({ client, store }, news);
    if (delivery.kind === 'unknown') return;
    await store.inbox.markDelivered(id, delivery);
    if (payer) remember(context, delivery.paymentId, payer);
  });
}

/** Not awaited: it must neither refuse a notification nor delay one. A repeat makes up for it. */
function remember({ store, background }: Context, paymentId: PaymentId, payer: PayerData): void {
  background.run('remembering a payer', () => store.payers.remember(paymentId, payer));
}

/** Of the connection, the proxies before us, or somebody's credentials: nothing of the provider's. */
const NOT_KEPT =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|content-length|cookie|authorization|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|via|accept.*)$/;

function worthKeeping(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_KEPT.test(name)));
}
