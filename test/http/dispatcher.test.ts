import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDispatcher,
  dispatchRound,
  type DispatcherOptions,
} from '../../src/http/dispatcher.js';
import { adoptedPaymentId } from '../../src/client/adoption.js';
import { fact } from '../../src/domain/facts.js';
import type { Payment } from '../../src/domain/payment.js';
import type { StoredNotification } from '../../src/store/inbox.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';
import { aNotification, aRecord } from '../store/examples.js';
import { storeThatIsDown } from './support.js';

let harness: Harness;
let options: DispatcherOptions;

beforeAll(async () => {
  harness = await startHarness({ sandbox: { printedProduct: 'receipt' } });
  await harness.startWorker();
  options = {
    store: harness.store,
    client: harness.client,
    timing: { dispatchAfterMs: 0, dispatchEveryMs: 5 },
    logger: pino({ level: 'silent' }),
  };
});

afterAll(() => harness.close());

const eur = (minor: string) => ({ minor, currency: 'EUR' });

/** What the provider says of the money of a payment. */
function statement(kind: 'authorized' | 'captured' | 'refunded', object: string, minor = '1250') {
  const occurredAt = new Date().toISOString();
  return fact({ kind, object, amount: eur(minor), occurredAt, source: 'notification' });
}

async function put(changes: Parameters<typeof aNotification>[0]): Promise<string> {
  const notification = aNotification({ connectionId: CONNECTION_ID, ...changes });
  return (await harness.store.inbox.add(notification)).id;
}

async function rowOf(id: string): Promise<StoredNotification> {
  return (await harness.store.inbox.get(id))!;
}

/** Runs rounds until the notification is as wanted. */
async function dispatchUntil(id: string, wanted: Partial<StoredNotification>): Promise<void> {
  await expect
    .poll(
      async () => {
        await dispatchRound(options);
        return rowOf(id);
      },
      { timeout: 15_000, interval: 5 },
    )
    .toMatchObject(wanted);
}

async function endedPayment(): Promise<{ paymentId: string; reference: string }> {
  const { paymentId, created } = await harness.open();
  harness.sandbox.consumer.pay(created.paymentId);
  await harness.ended(paymentId);
  return { paymentId, reference: created.paymentId };
}

/** What the provider tells of a payment that began with a printed code, and is paid. */
function paidUnasked() {
  const { profileId, consumer } = harness.sandbox;
  const reference = crypto.randomUUID().slice(0, 35);
  const code = `https://payconiq.com/t/1/${profileId}?A=250&R=${reference}`;
  const { paymentId, createdAt } = consumer.scanCode(code);
  consumer.confirm(paymentId);
  return {
    providerReference: paymentId,
    facts: [statement('authorized', paymentId, '250')],
    subject: { reference, amount: eur('250'), createdAt: new Date(createdAt).toISOString() },
  };
}

const runs = async (paymentId: string): Promise<string> =>
  (await harness.handle(paymentId).describe()).runId;

describe('the dispatcher', () => {
  it('delivers to a running payment what the door could not', async () => {
    const { paymentId, created } = await harness.open({ captureMode: 'manual' });
    const facts = [statement('authorized', created.paymentId)];
    const id = await put({ paymentId, facts });
    await dispatchUntil(id, { state: 'delivered' });
    await harness.until(paymentId, ({ status }) => status === 'authorized');
  });

  it("finds the payment by the provider's object where the address names none", async () => {
    const { paymentId, reference } = await endedPayment();
    const id = await put({ providerReference: reference, verdict: 'hint', facts: [] });
    await dispatchUntil(id, { state: 'delivered', paymentId });
  });

  it('lets an ended payment rest when there is nothing new', async () => {
    const { paymentId, reference } = await endedPayment();
    const run = await runs(paymentId);
    const id = await put({ paymentId, facts: [statement('authorized', reference)] });
    await dispatchUntil(id, { state: 'delivered' });
    expect(await runs(paymentId)).toBe(run);
  });

  it('resumes an ended payment that has news', async () => {
    const { paymentId, reference } = await endedPayment();
    const run = await runs(paymentId);
    const id = await put({ paymentId, facts: [statement('refunded', reference, '250')] });
    await dispatchUntil(id, { state: 'delivered' });
    expect(await runs(paymentId)).not.toBe(run);
    await harness.ended(paymentId);
    const stored = await harness.store.getPayment(paymentId);
    expect(stored).toMatchObject({
      status: 'captured',
      ended: true,
      amounts: { refunded: eur('250') },
    });
  });

  it('waits for a payment that nobody knows yet, and then gives it up', async () => {
    const id = await put({ paymentId: crypto.randomUUID() });
    await dispatchRound(options);
    expect(await rowOf(id)).toMatchObject({
      state: 'undelivered',
      attempts: 1,
      lastReason: 'no payment of this id is known',
    });
    await dispatchUntil(id, { state: 'unmatched', attempts: 12 });
  });

  it('adopts what began at the provider without us, and hands its later news to it', async () => {
    const news = paidUnasked();
    const { providerReference } = news;
    const paymentId = adoptedPaymentId(CONNECTION_ID, providerReference);
    const id = await put(news);
    await dispatchUntil(id, { state: 'delivered', paymentId, attempts: 1 });
    await harness.until(paymentId, ({ captureBefore }) => captureBefore !== undefined);

    await harness.client.void(paymentId, { reason: 'nobody knows what for' });
    await harness.ended(paymentId);
    const late = { ...news, facts: [statement('refunded', providerReference, '1')] };
    const later = await put(late);
    await dispatchUntil(later, { state: 'delivered', paymentId });
    expect(await harness.ended(paymentId)).toMatchObject({ amounts: { refunded: eur('1') } });
  });

  it('hands what a payment expected to that one', async () => {
    const news = paidUnasked();
    const request = harness.request({
      options: { provider: 'payconiq', flavour: 'receipt' },
      merchantReference: news.subject.reference,
      amount: eur('250'),
      captureMode: 'manual',
    });
    await harness.client.open(request);
    const { paymentId } = request;
    const id = await put(news);
    await dispatchUntil(id, { state: 'delivered', paymentId });
    expect(await harness.until(paymentId, ({ status }) => status === 'authorized')).toMatchObject({
      providerReference: news.providerReference,
      flags: [],
    });
  });

  it('adopts under its own id a payment of which nothing is left', async () => {
    const paymentId = crypto.randomUUID();
    const news = paidUnasked();
    const id = await put({ ...news, paymentId });
    await dispatchRound(options);
    expect(await rowOf(id)).toMatchObject({ state: 'undelivered', attempts: 1 });
    expect(await harness.client.get(paymentId)).toBeUndefined();
    await dispatchUntil(id, { state: 'delivered', paymentId, attempts: 12 });
    const held = ({ captureBefore }: Payment) => captureBefore !== undefined;
    expect(await harness.until(paymentId, held)).toMatchObject({
      status: 'authorized',
      origin: 'adopted',
      providerReference: news.providerReference,
      merchantReference: news.subject.reference,
    });
    const derived = adoptedPaymentId(CONNECTION_ID, news.providerReference);
    expect(await harness.client.get(derived)).toBeUndefined();
  });

  it('finds no payment for what proves nothing', async () => {
    const { providerReference, subject } = paidUnasked();
    const hint = { verdict: 'hint', facts: [] } as const;
    const ids = [
      await put({ ...hint, providerReference }),
      await put({ ...hint, providerReference, subject }),
      await put({ ...hint }),
      await put({ ...hint, providerReference, paymentId: crypto.randomUUID() }),
      await put({ facts: [statement('authorized', providerReference)], providerReference }),
      // What went back begins no payment.
      await put({ facts: [statement('refunded', providerReference)], providerReference, subject }),
    ];
    for (const id of ids) await dispatchUntil(id, { state: 'unmatched', attempts: 12 });
    const adopted = adoptedPaymentId(CONNECTION_ID, providerReference);
    expect(await harness.client.get(adopted)).toBeUndefined();
    expect(await rowOf(ids[3]!)).toMatchObject({
      lastReason: 'no payment of this id is known',
    });
  });

  it('is not held up by one that cannot be delivered', async () => {
    const { paymentId, created } = await harness.open({ captureMode: 'manual' });
    // Longer than any id that Temporal starts a workflow under.
    const request = harness.fullRequest({ paymentId: 'x'.repeat(2_000) });
    await harness.store.recordPayment(aRecord({ request, progress: { ended: true } }));
    const bad = await put({ paymentId: request.paymentId });
    const good = await put({ paymentId, facts: [statement('authorized', created.paymentId)] });
    await dispatchUntil(good, { state: 'delivered' });
    expect(await rowOf(bad)).toMatchObject({
      state: 'undelivered',
      lastReason: 'orchestrator_unavailable',
    });
    await harness.store.inbox.markUnmatched(bad);
  });

  it('leaves what has just come to the door', async () => {
    const id = await put({});
    await dispatchRound({ ...options, timing: { dispatchAfterMs: 60_000, dispatchEveryMs: 5 } });
    expect(await rowOf(id)).toMatchObject({ state: 'undelivered', attempts: 0 });
    await harness.store.inbox.markUnmatched(id);
  });

  it('goes on by itself until it is stopped, and may be started again', async () => {
    const dispatcher = createDispatcher(options);
    const { paymentId, reference } = await endedPayment();
    const delivered = async (): Promise<void> => {
      const id = await put({ paymentId, facts: [statement('captured', reference)] });
      await expect.poll(() => rowOf(id), { timeout: 10_000 }).toMatchObject({ state: 'delivered' });
    };
    dispatcher.start();
    await delivered();
    await delivered();
    await dispatcher.stop();
    const late = await put({ paymentId, facts: [statement('captured', reference)] });
    expect(await rowOf(late)).toMatchObject({ state: 'undelivered' });
    dispatcher.start();
    await delivered();
    await dispatcher.stop();
  });

  it('says once that the database is away, and goes on when it is back', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
    const down = await storeThatIsDown();
    let rounds = 0;
    const listUndelivered: typeof down.inbox.listUndelivered = (wanted) => {
      rounds += 1;
      return (rounds <= 3 ? down : harness.store).inbox.listUndelivered(wanted);
    };
    const store = { ...harness.store, inbox: { ...harness.store.inbox, listUndelivered } };
    const dispatcher = createDispatcher({ ...options, store, logger });
    dispatcher.start();
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(2);
    await dispatcher.stop();
    expect(lines[0]).toContain('dispatching is interrupted');
    expect(lines[1]).toContain('notifications are dispatched again');
  });
});
