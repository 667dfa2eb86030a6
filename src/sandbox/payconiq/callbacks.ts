import type { CallbackAnswer, CallbackMessage, Poster } from './callback-post.js';
import type { Scheduler } from './clock.js';
import type { CallbackFault, FaultBoard, Forgery, Hit } from './faults.js';
import { forge } from './forgery.js';
import type { Signable } from './forgery.js';
import { isFinal } from './payment.js';
import type { PaymentStatus, SandboxPayment } from './payment.js';
import { callbackHeaders, renderCallback } from './render.js';
import type { MerchantProfile } from './render.js';
import { providerClaims, signAs } from './signing-keys.js';
import type { SigningKeys } from './signing-keys.js';

const DAY_MS = 86_400_000;

/** Answers after which a callback is sent again. @see payconiq.txt L401-419 */
const RETRIED: readonly CallbackAnswer[] = ['none', 429, 500, 503, 504, 509];

/**
 * - `waiting`: not answered yet, or to be repeated, or held by a fault.
 * - `delivered`: answered with 200.
 * - `refused`: answered with a status that ends the repeats.
 * - `given_up`: 24 hours have passed.
 * - `lost`: taken away by a fault.
 */
export type CallbackState = 'waiting' | 'delivered' | 'refused' | 'given_up' | 'lost';

export interface CallbackAttempt {
  readonly at: number;
  /** The HTTP status; `none` for no answer in time or no connection. */
  readonly answer: CallbackAnswer;
  readonly forged?: Forgery;
}

/** One callback with all its attempts; URL, headers and body are the same in each. */
export interface CallbackRecord {
  readonly id: number;
  readonly paymentId: string;
  readonly reference: string | undefined;
  readonly status: PaymentStatus;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly attempts: readonly CallbackAttempt[];
  readonly state: CallbackState;
}

export interface SandboxCallbacks {
  /** Oldest first. */
  list(): readonly CallbackRecord[];
  ofPayment(paymentId: string): readonly CallbackRecord[];
  /** Resolves when no attempt is under way; repeats that are due later, and held ones, don't count. */
  idle(): Promise<void>;
  /** Sends a recorded callback once more, byte for byte. */
  repeat(id: number): Promise<CallbackAnswer>;
  /** Sends one forged callback about a payment as it stands, or as `status` would have it. */
  forge(
    paymentId: string,
    forgery: { readonly how: Forgery; readonly status?: PaymentStatus },
  ): Promise<CallbackAnswer>;
}

export interface CallbackOptions {
  readonly clock: Scheduler;
  readonly faults: FaultBoard;
  readonly keys: SigningKeys;
  readonly profile: MerchantProfile;
  readonly findPayment: (paymentId: string) => SandboxPayment | undefined;
  /** Configured at the provider for payments that name none, as it stands now. */
  readonly profileCallbackUrl: () => string | undefined;
  /** Whether IDENTIFIED and AUTHORIZED are told too. */
  readonly statuses: 'documented' | 'all';
  /** The time from the n-th attempt (from 1) to the next. */
  readonly retryIntervalMs: (attempt: number) => number;
  readonly poster: Poster;
}

export interface CallbackSender extends SandboxCallbacks {
  /** Tells the merchant of a change; resolves when the first attempt is answered, lost or held. */
  notify(payment: SandboxPayment): Promise<void>;
}

type Delivery = { -readonly [K in keyof CallbackRecord]: CallbackRecord[K] } & {
  attempts: CallbackAttempt[];
  readonly signable: Signable;
};

export function createCallbacks(options: CallbackOptions): CallbackSender {
  const { clock, faults, keys, profile, poster } = options;
  const deliveries: Delivery[] = [];
  let lastId = 0;
  const reordered = new Map<string, (() => void)[]>();

  const prepare = async (payment: SandboxPayment, url: string): Promise<Delivery> => {
    const body = Buffer.from(JSON.stringify(renderCallback(payment)));
    const claims = { subject: profile.profileId, path: url, at: clock.now() };
    const signable = { key: keys.current(), claims, body };
    const header = providerClaims(claims);
    const signature = await signAs(signable.key, { header, payload: body });
    const { paymentId, reference, status } = payment;
    lastId += 1;
    return {
      id: lastId,
      ...{ paymentId, reference, status, url, signable },
      headers: callbackHeaders(signature),
      body: body.toString('utf8'),
      attempts: [],
      state: 'waiting',
    };
  };

  const attempt = async (
    delivery: Delivery,
    message: CallbackMessage = delivery,
    forged?: Forgery,
  ): Promise<CallbackAnswer> => {
    const at = clock.now();
    const answer = await poster.post(message);
    delivery.attempts.push({ at, answer, ...(forged === undefined ? {} : { forged }) });
    return answer;
  };

  const conclude = (delivery: Delivery, answer: CallbackAnswer): void => {
    if (delivery.state === 'delivered') return;
    if (answer === 200) delivery.state = 'delivered';
    else if (!RETRIED.includes(answer)) delivery.state = 'refused';
    else scheduleRepeat(delivery);
  };

  const scheduleRepeat = (delivery: Delivery): void => {
    const { attempts } = delivery;
    const firstAt = attempts[0]?.at ?? clock.now();
    const dueAt = clock.now() + options.retryIntervalMs(attempts.length);
    if (dueAt > firstAt + DAY_MS) delivery.state = 'given_up';
    else clock.at(dueAt, () => (delivery.state === 'waiting' ? send(delivery) : undefined));
  };

  const send = async (delivery: Delivery): Promise<void> => {
    conclude(delivery, await attempt(delivery));
    const waiting = reordered.get(delivery.paymentId) ?? [];
    reordered.delete(delivery.paymentId);
    waiting.forEach((letGo) => letGo());
  };

  const sendForged = async (delivery: Delivery, how: Forgery): Promise<CallbackAnswer> => {
    const { body, signature } = await forge(how, delivery.signable);
    const message = {
      url: delivery.url,
      headers: callbackHeaders(signature),
      body: body.toString(),
    };
    return attempt(delivery, message, how);
  };

  const sendFaulty = async (delivery: Delivery, { fault, held }: Hit<CallbackFault>) => {
    switch (fault.kind) {
      case 'lose':
        if (fault.scope !== 'attempt') return void (delivery.state = 'lost');
        delivery.attempts.push({ at: clock.now(), answer: 'none' });
        return scheduleRepeat(delivery);
      case 'twice':
        await send(delivery);
        return send(delivery);
      case 'late':
        return void held(fault.ms).then(() => send(delivery));
      case 'reorder': {
        const waiting = reordered.get(delivery.paymentId) ?? [];
        return void reordered.set(delivery.paymentId, [...waiting, () => void send(delivery)]);
      }
      case 'forge':
        await sendForged(delivery, fault.how);
        if (fault.genuine === 'also') return send(delivery);
        return void (delivery.state = 'lost');
    }
  };

  const notify = async (payment: SandboxPayment): Promise<void> => {
    const url = payment.request.callbackUrl ?? options.profileCallbackUrl();
    if (url === undefined || !isTold(payment.status, options.statuses)) return;
    const hit = faults.takeCallback(payment);
    await poster.during(async () => {
      const delivery = await prepare(payment, url);
      deliveries.push(delivery);
      await (hit === undefined ? send(delivery) : sendFaulty(delivery, hit));
    });
  };

  const forgeAbout: SandboxCallbacks['forge'] = async (paymentId, { how, status }) => {
    const payment = options.findPayment(paymentId);
    const url = payment?.request.callbackUrl ?? options.profileCallbackUrl();
    if (payment === undefined || url === undefined) throw new RangeError('nobody to be told');
    const claimed = { ...payment, status: status ?? payment.status };
    return sendForged(await prepare(claimed, url), how);
  };

  const repeat = async (id: number): Promise<CallbackAnswer> => {
    const delivery = deliveries.find((one) => one.id === id);
    if (delivery === undefined) throw new RangeError(`no callback ${id}`);
    return attempt(delivery);
  };

  const records = (): CallbackRecord[] =>
    deliveries.map(({ signable: _secret, ...record }) => ({
      ...record,
      attempts: [...record.attempts],
    }));

  return {
    notify,
    list: records,
    ofPayment: (paymentId) => records().filter((record) => record.paymentId === paymentId),
    idle: poster.idle,
    repeat,
    forge: forgeAbout,
  };
}

function isTold(status: PaymentStatus, statuses: 'documented' | 'all'): boolean {
  if (status === 'PENDING') return false;
  return statuses === 'all' || isFinal(status) || status === 'PENDING_MERCHANT_ACKNOWLEDGEMENT';
}
