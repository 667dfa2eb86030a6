/** Repairs over the API, and commands on payments that have ended. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { fact } from '../../src/domain/facts.js';
import type { Payment } from '../../src/domain/payment.js';
import { payment as paymentShape } from '../../src/http/schemas.js';
import { startHarness, type Harness } from '../support/harness.js';
import { loseCallbacks, movements, RELEASED, sent, TAKEN } from '../workflows/observed.js';
import {
  openBody,
  paymentIn,
  serve,
  type Answered,
  type Call,
  type TestServer,
} from './support.js';

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  server = await serve(harness);
  await harness.startWorker();
});

afterAll(async () => {
  await server.close();
  await harness.close();
});

const by = { actor: 'ada', reason: 'the payer says so' };
const eur = (minor: string) => ({ minor, currency: 'EUR' });

async function open(): Promise<Payment> {
  const body = openBody({ captureMode: 'manual' });
  const idempotencyKey = crypto.randomUUID();
  const answer = await server.call('POST', '/v1/payments', { body, idempotencyKey });
  const { paymentId } = paymentIn(answer);
  return harness.until(paymentId, ({ status }) => status === 'requires_action');
}

async function openAuthorized(): Promise<Payment> {
  const { paymentId, providerReference = '' } = await open();
  harness.sandbox.consumer.pay(providerReference);
  return harness.until(paymentId, ({ status }) => status === 'authorized');
}

/** Ended as expired, while its payer has paid after all; nobody told us of that. */
async function paidLate(): Promise<Payment> {
  const opened = await open();
  const { paymentId, providerReference = '' } = opened;
  loseCallbacks(harness.sandbox, opened.merchantReference);
  await harness.client.notify(paymentId, { facts: [stated('expired', providerReference)] });
  await harness.ended(paymentId);
  harness.sandbox.consumer.pay(providerReference);
  return opened;
}

function stated(kind: 'expired' | 'authorized', object: string) {
  const amount = kind === 'authorized' ? { amount: eur('1250') } : {};
  return fact({ kind, object, ...amount, occurredAt: new Date().toISOString(), source: 'report' });
}

function repair(
  { paymentId }: Pick<Payment, 'paymentId'>,
  body: unknown,
  call: Call = {},
): Promise<Answered> {
  const path = `/v1/payments/${paymentId}/repairs`;
  return server.call('POST', path, { key: 'operator', body, ...call });
}

function command(
  { paymentId }: Payment,
  name: 'capture' | 'void' | 'cancel',
  call: Call = {},
): Promise<Answered> {
  const body = name === 'capture' ? undefined : { reason: 'sold out' };
  return server.call('POST', `/v1/payments/${paymentId}/${name}`, { body, ...call });
}

const runOf = async ({ paymentId }: Payment): Promise<string> =>
  (await harness.handle(paymentId).describe()).runId;

describe('a repair', () => {
  it('asks the provider about a payment that has ended, which is then taken up again', async () => {
    const late = await paidLate();
    const answer = await repair(late, { repair: { kind: 'ask' }, ...by });
    expect(answer.status).toBe(200);
    expect(paymentShape.parse(answer.body)).toMatchObject({
      status: 'authorized',
      ended: false,
      repairs: [{ repair: { kind: 'ask' }, ...by, factCount: 2 }],
    });
    expect(paymentIn(await command(late, 'capture')).status).toBe('captured');
    expect(await harness.ended(late.paymentId)).toMatchObject({ repairs: [by] });
    expect(movements(harness.sandbox, late.merchantReference)).toEqual(TAKEN);
  });

  it('states what a person has evidence of, of the whole amount unless told', async () => {
    const authorized = await openAuthorized();
    const answer = await repair(authorized, {
      repair: { kind: 'state', fact: { kind: 'captured', occurredAt: '2026-03-01T10:00:00Z' } },
      ...by,
    });
    expect(answer.status).toBe(200);
    expect(paymentShape.parse(answer.body)).toMatchObject({
      status: 'captured',
      amounts: { captured: eur('1250') },
    });
    await harness.ended(authorized.paymentId);
    expect(sent(harness.sandbox, authorized.merchantReference)).toEqual(['create']);
  });

  it('allows what the provider has refused for good once more', async () => {
    const authorized = await openAuthorized();
    const { paymentId, providerReference = '' } = authorized;
    const refusal = { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' } as const;
    const where = { paymentId: providerReference };
    const refusing = harness.sandbox.faults.always('void', refusal, { where });
    await command(authorized, 'void');
    await harness.until(paymentId, ({ attention }) => attention?.reason === 'void_refused');
    expect((await command(authorized, 'void')).body).toMatchObject({ status: 409 });
    refusing.remove();
    const again = { repair: { kind: 'retry', operation: 'void' }, ...by };
    expect((await repair(authorized, again)).status).toBe(200);
    expect(await harness.ended(paymentId)).toMatchObject({ status: 'voided' });
    expect(movements(harness.sandbox, authorized.merchantReference)).toEqual(RELEASED);
  });

  it('dismisses what has been looked at', async () => {
    const opened = await open();
    const { paymentId, providerReference: object } = opened;
    const wrong = { kind: 'captured', object, amount: eur('1300') };
    await repair(opened, { repair: { kind: 'state', fact: wrong }, ...by });
    expect(await harness.ended(paymentId)).toMatchObject({
      attention: { reason: 'amount_differs' },
    });
    const dismissed = await repair(opened, { repair: { kind: 'dismiss' }, ...by });
    expect(dismissed.status).toBe(200);
    expect(paymentIn(dismissed).attention).toBeUndefined();
    await harness.ended(paymentId);
    const stored = await harness.store.getPayment(paymentId);
    expect(stored?.attention).toBeUndefined();
    expect(stored?.repairs).toMatchObject([by, by]);
  });

  it('is made once under one key, whose repeat gets the same bytes', async () => {
    const late = await paidLate();
    const idempotencyKey = crypto.randomUUID();
    const body = { repair: { kind: 'dismiss' }, ...by };
    const first = await repair(late, body, { idempotencyKey });
    expect(first.status).toBe(200);
    const run = await runOf(late);
    const repeat = await repair(late, body, { idempotencyKey });
    expect(repeat.headers.get('idempotency-replayed')).toBe('true');
    expect(repeat.text).toBe(first.text);
    expect(await runOf(late)).toBe(run);
    const other = await repair(late, { ...body, actor: 'bob' }, { idempotencyKey });
    expect(other.body).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    await harness.ended(late.paymentId);
    expect(await harness.store.getPayment(late.paymentId)).toMatchObject({ repairs: [by] });
  });

  it('needs the scope operations, and a payment', async () => {
    const body = { repair: { kind: 'ask' }, ...by };
    const opened = await open();
    for (const key of ['shop', 'reader', 'officer'] as const) {
      expect((await repair(opened, body, { key })).body, key).toMatchObject({
        status: 403,
        code: 'forbidden',
      });
    }
    expect((await repair(opened, body, { key: 'none' })).status).toBe(401);
    const nobody = await repair({ paymentId: crypto.randomUUID() }, body);
    expect(nobody.body).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each<[string, object, string, RegExp]>([
    ['nobody', { actor: undefined }, 'actor', /is required/],
    ['an actor without a name', { actor: '' }, 'actor', /1 to 200/],
    ['no reason', { reason: 'x'.repeat(201) }, 'reason', /1 to 200/],
    ['no repair', { repair: undefined }, 'repair', /is required/],
    ['an unknown kind', { repair: { kind: 'undo' } }, 'repair.kind', /one of ask, state, retry/],
    ['no kind', { repair: {} }, 'repair.kind', /one of ask/],
    ['more than a kind', { repair: { kind: 'ask', x: 1 } }, 'repair.x', /is not known here/],
    [
      'a creation',
      { repair: { kind: 'retry', operation: 'create' } },
      'repair.operation',
      /one of/,
    ],
    ['no fact', { repair: { kind: 'state' } }, 'repair.fact', /is required/],
    ['what only we can say', saying({ kind: 'rejected' }), 'repair.fact.kind', /one of authorized/],
    [
      'no money',
      saying({ kind: 'captured', amount: eur('0') }),
      'repair.fact.amount.minor',
      /positive/,
    ],
    [
      'no time',
      saying({ kind: 'expired', occurredAt: 'yesterday' }),
      'repair.fact.occurredAt',
      /ISO 8601/,
    ],
  ])('that tells of %s is refused, naming the field', async (_what, changes, field, rule) => {
    const answer = await repair(
      { paymentId: 'nobodys' },
      { repair: { kind: 'ask' }, ...by, ...changes },
    );
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      violations: [{ field, rule: expect.stringMatching(rule) }],
    });
  });

  it.each([
    ['without the amount of money that nobody held', saying({ kind: 'captured' })],
    ['in another currency', saying({ kind: 'captured', amount: { minor: '1', currency: 'USD' } })],
  ])('that states a fact %s is refused', async (_what, changes) => {
    const opened = await open();
    const answer = await repair(opened, { ...by, ...changes });
    expect(answer.body).toMatchObject({
      status: 400,
      code: 'invalid_request',
      detail: 'repair.fact.amount: must be given, in EUR',
    });
    expect((await harness.client.get(opened.paymentId))?.repairs).toBeUndefined();
  });
});

function saying(stated: object): object {
  return { repair: { kind: 'state', fact: stated } };
}

describe('a late command', () => {
  it('on what is over starts nothing: it is answered from the record', async () => {
    const authorized = await openAuthorized();
    await command(authorized, 'capture');
    await harness.ended(authorized.paymentId);
    const run = await runOf(authorized);
    for (const name of ['void', 'cancel'] as const) {
      expect((await command(authorized, name)).body, name).toMatchObject({
        status: 409,
        code: 'conflict',
        detail: 'the payment has ended: captured',
      });
    }
    expect(paymentIn(await command(authorized, 'capture'))).toMatchObject({ status: 'captured' });
    expect(await runOf(authorized)).toBe(run);
  });

  test.each([
    ['capture', 'captured', TAKEN],
    ['void', 'voided', RELEASED],
  ] as const)('%s takes up what turned out to be held after all', async (name, status, moved) => {
    const late = await paidLate();
    const { paymentId, providerReference = '', merchantReference } = late;
    expect((await command(late, name)).body).toMatchObject({
      status: 409,
      detail: 'the payment has ended: expired',
    });
    await harness.store.recordFacts(paymentId, [stated('authorized', providerReference)]);
    const answer = await command(late, name, { idempotencyKey: crypto.randomUUID() });
    expect(answer.status).toBe(200);
    expect(paymentIn(answer)).toMatchObject({ status });
    expect(await harness.ended(paymentId)).toMatchObject({ status, ended: true });
    expect(movements(harness.sandbox, merchantReference)).toEqual(moved);
  });
});
