/**
 * Where providers post their notifications: raw bytes → size → verified and translated → stored →
 * their success answer. The payment is told alongside; the dispatcher tells what this could not.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isPaymentId, type PaymentId } from '../domain/ids.js';
import type { PayerData } from '../domain/payer.js';
import { NOTIFICATION_PATH } from '../providers/connections.js';
import type { NotificationCapability, Receipt } from '../providers/provider.js';
import type { NewNotification } from '../store/inbox.js';
import type { Context } from './api.js';
import { deliver, noticeOf } from './delivery.js';
import { ApiError } from './problems.js';

/** Refusals at addresses that name no connection of ours are counted under this. */
export const NO_CONNECTION = '-';

type RefusalReason = 'unknown_url' | 'oversized' | 'forged';

interface Addressed {
  readonly connectionId: string;
  /** Absent at the connection's own URL, for what began without us. */
  readonly paymentId?: PaymentId;
  readonly door: NotificationCapability;
}

const addressees = new WeakMap<FastifyRequest, Addressed>();

/** To be registered as a plugin of its own: it reads bodies of any type. */
export function notificationDoor(app: FastifyInstance, context: Context): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    read(request, payload),
  );
  app.addHook('onRequest', (request, _reply, done) => {
    addressees.set(request, addressed(context, request));
    // Whatever a provider calls its content, even by no valid name, is taken as bytes.
    request.headers = { 'content-type': undefined };
    done();
  });
  app.setErrorHandler((error, request, _reply) => {
    count(context, request, error);
    throw error;
  });
  for (const address of [':connectionId/:paymentId/:token', ':connectionId/:token']) {
    app.post(`${NOTIFICATION_PATH}/${address}`, { schema: { hide: true } }, (request, reply) =>
      take(context, request, reply),
    );
  }
}

/** Everything wrong with the address looks the same from outside. */
function addressed({ connections }: Context, { params }: FastifyRequest): Addressed {
  const { connectionId = '', paymentId, token = '' } = params as Partial<Record<string, string>>;
  const isOurs = connections.isNotificationToken(connectionId, paymentId, token);
  const door = connections.get(connectionId)?.notifications;
  if (!isOurs || !door || (paymentId !== undefined && !isPaymentId(paymentId))) {
    throw new ApiError({ code: 'route_not_found', detail: 'There is nothing at this address.' });
  }
  return { connectionId, door, ...(paymentId !== undefined && { paymentId }) };
}

async function read(request: FastifyRequest, payload: IncomingMessage): Promise<Buffer> {
  const { maxBytes } = addresseeOf(request).door;
  if (Number(request.raw.headers['content-length'] ?? 0) > maxBytes) throw oversized();
  const chunks: Buffer[] = [];
  let size = 0;
  // Left open when it gets too long: a socket that is destroyed cannot carry the refusal.
  const arriving = payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of arriving) {
    size += chunk.length;
    if (size > maxBytes) throw oversized();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function oversized(): ApiError {
  return new ApiError({
    code: 'payload_too_large',
    detail: 'The notification is larger than any of this provider.',
    headers: { connection: 'close' },
  });
}

async function take(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { connectionId, paymentId, door } = addresseeOf(request);
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  const headers = headersOf(request.raw);
  const named = paymentId === undefined ? {} : { paymentId };
  const receipt = await door.receive({ headers, body, ...named });
  refuseUnverified(request, receipt);
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

function refuseUnverified(request: FastifyRequest, receipt: Receipt): asserts receipt is Believed {
  if (receipt.kind === 'facts' || receipt.kind === 'hint') return;
  const { connectionId, paymentId } = addresseeOf(request);
  const { kind, reason } = receipt;
  request.log.warn({ connectionId, paymentId, verdict: kind, reason }, 'notification refused');
  throw kind === 'forged'
    ? new ApiError({
        code: 'forged_notification',
        detail: 'Its signature is not by the provider, or not for this address.',
      })
    : new ApiError({
        code: 'unverifiable_notification',
        detail: 'It cannot be verified at the moment. Send it again later.',
      });
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

const REFUSAL_REASONS: Readonly<Record<string, RefusalReason>> = {
  route_not_found: 'unknown_url',
  payload_too_large: 'oversized',
  forged_notification: 'forged',
};

/** Counted alongside: what is refused must cost nothing more, and no store that is down. */
function count(
  { store, connections, background }: Context,
  request: FastifyRequest,
  error: unknown,
) {
  const reason = error instanceof ApiError ? REFUSAL_REASONS[error.problem.code] : undefined;
  if (reason === undefined) return;
  const { connectionId = '' } = request.params as { connectionId?: string };
  const known = connections.get(connectionId) ? connectionId : NO_CONNECTION;
  background.run('counting a refused notification', () =>
    store.inbox.countRefused({ connectionId: known, reason }),
  );
}

function addresseeOf(request: FastifyRequest): Addressed {
  const found = addressees.get(request);
  if (!found) throw new Error('a notification was read before its address was checked');
  return found;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(', ')]],
    ),
  );
}

/** Of the connection, the proxies before us, or somebody's credentials: nothing of the provider's. */
const NOT_KEPT =
  /^(host|connection|keep-alive|te|trailer|transfer-encoding|content-length|cookie|authorization|proxy-.*|forwarded|x-forwarded-.*|x-real-ip|via|accept.*)$/;

function worthKeeping(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !NOT_KEPT.test(name)));
}
