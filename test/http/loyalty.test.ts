/** Payments of members, from Payconiq's registration to what the loyalty scheme made of them. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import type { ApiKey } from '../../src/http/access.js';
import { loyaltyPage, loyaltyRegistration } from '../../src/http/loyalty-schemas.js';
import { openConnections, type Connections } from '../../src/providers/connections.js';
import { FORGERIES } from '../../src/sandbox/payconiq/faults.js';
import type { LoyaltyMatch } from '../../src/sandbox/payconiq/loyalty.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import { openStore, type Store } from '../../src/store/store.js';
import { freePort } from '../../src/temporal/ports.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { intentOf, requestOf } from '../providers/payconiq/merchant.js';
import { clientWithoutTemporal, KEYS, serve, storeThatIsDown, type TestServer } from './support.js';

const MESSAGE = 'Your points are on their way';
/** In no log, whatever happens. */
const MEMBER = 'member-4711-of-the-scheme';
const scheme: ApiKey = {
  id: 'scheme',
  secret: 'key-of-the-scheme',
  scopes: ['operations', 'personal_data'],
};
const asScheme = { headers: { authorization: `Bearer ${scheme.secret}` } };

let store: Store;
let sandbox: PayconiqSandbox;
let connections: Connections;
let server: TestServer;
let url: string;
let aheadMs = 0;

beforeAll(async () => {
  const keys = createKeyRing([{ id: 'test', secret: new Uint8Array(32).fill(1) }]);
  store = await openStore({ kind: 'embedded', directory: 'memory' }, keys);
  await store.migrate();
  sandbox = await startPayconiqSandbox();
  const port = await freePort();
  connections = connectionsAt(port);
  server = await serveAt(connections, { port });
  url = connections.loyaltyUrl('shop')!;
});
afterAll(async () => {
  await server.close();
  await connections.close();
  await sandbox.close();
  await store.close();
});

function connectionsAt(port: number, jwksUrl = sandbox.jwksUrl): Connections {
  const { url: apiBaseUrl, profileId, apiKey } = sandbox;
  const settings = { apiBaseUrl, jwksUrl, profileId, apiKey };
  const connection = (id: string, more: object) => ({
    ...{ id, provider: 'payconiq' },
    settings: { ...settings, ...more },
  });
  return openConnections({
    connections: [connection('shop', { loyalty: { message: MESSAGE } }), connection('plain', {})],
    timing: TIMING.fast,
    now: () => Date.now() + aheadMs,
    notificationSecret: 'test',
    publicUrl: `http://127.0.0.1:${port}`,
  });
}

const serveAt = (over: Connections, changes: { port?: number; store?: Store } = {}) =>
  serve(
    { client: clientWithoutTemporal(), store, connections: over },
    { apiKeys: [...Object.values(KEYS), scheme], ...changes },
  );

/** A payment that is paid, by Payconiq's id. */
async function paid(): Promise<string> {
  const { create } = connections.get('plain')!.payments!.operations;
  const times = { intendedAtMs: Date.now(), latestWriteAtMs: Date.now() + 60_000 };
  const outcome = await create.send(intentOf('create', requestOf(), times));
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  const { providerReference = '' } = outcome.value;
  sandbox.consumer.pay(providerReference);
  return providerReference;
}

async function register(paymentId: string, changes: Partial<LoyaltyMatch> = {}) {
  const match = { url, userAccountId: MEMBER, ...changes };
  const { answer, body } = await sandbox.loyalty.register(paymentId, match);
  return { answer, body: body === '' ? undefined : (JSON.parse(body) as unknown) };
}

async function listed(query = '') {
  const { body } = await server.call('GET', `/v1/loyalty-registrations${query}`, asScheme);
  return loyaltyPage.parse(body);
}

async function registrationsOf(paymentId: string) {
  const { registrations } = await listed('?limit=100');
  return registrations.filter(({ providerReference }) => providerReference === paymentId);
}

const done = (id: string, body?: unknown) =>
  server.call('POST', `/v1/loyalty-registrations/${id}/done`, { ...asScheme, body });

describe('PCQ-21: a registration by Payconiq', () => {
  it('is kept, and answered with 202 and our message, however often it comes', async () => {
    const paymentId = await paid();
    const amount = { minor: String(sandbox.payment(paymentId)!.amount), currency: 'EUR' };
    for (let n = 0; n < 3; n += 1) {
      const registered = await register(paymentId, { merchantAccountId: 'shop-1' });
      expect(registered).toEqual({ answer: 202, body: { message: MESSAGE } });
    }
    expect(await registrationsOf(paymentId)).toEqual([
      {
        ...{ id: expect.any(String), connectionId: 'shop', providerReference: paymentId },
        ...{ memberId: MEMBER, merchantAccountId: 'shop-1', amount, state: 'open' },
        receivedAt: expect.any(String),
      },
    ]);
  });

  it('is one for each member of a payment', async () => {
    const paymentId = await paid();
    await Promise.all([register(paymentId), register(paymentId, { userAccountId: 'another' })]);
    const members = (await registrationsOf(paymentId)).map(({ memberId }) => memberId);
    expect(members.sort()).toEqual(['another', MEMBER]);
  });

  it('is answered with 201 and the result once the scheme has worked it off', async () => {
    const paymentId = await paid();
    await register(paymentId);
    const { id } = (await registrationsOf(paymentId))[0]!;
    const result = { balance: 140, earned: 12, message: 'Twelve points for you' };
    const told = await done(id, result);
    expect(told.status).toBe(200);
    expect(loyaltyRegistration.parse(told.body)).toMatchObject({ state: 'done', result });
    expect(await register(paymentId)).toEqual({ answer: 201, body: result });
    expect((await done(id, result)).status).toBe(200);
    expect((await done(id, { earned: 13 })).status).toBe(409);
    expect(await register(paymentId)).toEqual({ answer: 201, body: result });
  });

  it('has our message where the scheme says nothing', async () => {
    const paymentId = await paid();
    await register(paymentId);
    const { id } = (await registrationsOf(paymentId))[0]!;
    expect((await done(id)).status).toBe(200);
    expect(await register(paymentId)).toEqual({ answer: 201, body: { message: MESSAGE } });
  });

  test.each<[object, string[]]>([
    [{ userAccountId: '' }, ['userAccountId']],
    [
      { userAccountId: 'x'.repeat(257), merchantAccountId: 7 },
      ['userAccountId', 'merchantAccountId'],
    ],
    [{ userAccountId: undefined, payment: undefined }, ['userAccountId', 'payment']],
    [{ payment: { paymentId: 'short', amount: 0 } }, ['payment.paymentId', 'payment.amount']],
    [
      { payment: { paymentId: 'x'.repeat(24), amount: 1_000_000, currency: 'USD' } },
      ['payment.amount', 'payment.currency'],
    ],
    [{ payment: { paymentId: 'x'.repeat(24), amount: 12.5 } }, ['payment.amount']],
  ])('with wrong fields is answered with 400 and each of them: %j', async (fields, wrong) => {
    const paymentId = await paid();
    const { answer, body } = await register(paymentId, { fields: fields as never });
    expect(answer).toBe(400);
    const { violations } = body as { violations: { field: string }[] };
    expect(violations.map(({ field }) => field)).toEqual(wrong);
    expect(JSON.stringify(body)).not.toContain(MEMBER);
    expect(await registrationsOf(paymentId)).toEqual([]);
  });

  test.each(FORGERIES.filter((how) => how !== 'wrong_subject'))(
    'that is forged is answered with 401: %s',
    async (forgery) => {
      const paymentId = await paid();
      aheadMs += TIMING.fast.keySetCooldownMs;
      expect((await register(paymentId, { forgery })).answer).toBe(401);
      expect(await registrationsOf(paymentId)).toEqual([]);
    },
  );

  it('that is of Payconiq, but for another profile, is answered with 403', async () => {
    const paymentId = await paid();
    const { answer, body } = await register(paymentId, { forgery: 'wrong_subject' });
    expect([answer, body]).toMatchObject([403, { code: 'foreign_notification' }]);
    expect(await registrationsOf(paymentId)).toEqual([]);
  });

  it('for another address of ours is answered with 401: its signature names that one', async () => {
    const paymentId = await paid();
    await sandbox.callbacks.idle();
    const { body, headers } = sandbox.callbacks.ofPayment(paymentId).at(-1)!;
    const moved = await fetch(url, { method: 'POST', body, headers });
    expect(moved.status).toBe(401);
  });

  it('is asked for again while the database or the key set is away, and nothing is lost', async () => {
    const paymentId = await paid();
    const port = await freePort();
    const away = connectionsAt(port);
    const withoutStore = await serveAt(away, { port, store: await storeThatIsDown() });
    const target = { url: away.loyaltyUrl('shop')! };
    expect(await register(paymentId, target)).toMatchObject({
      answer: 503,
      body: { code: 'store_unavailable' },
    });
    await withoutStore.close();
    const again = await serveAt(away, { port });
    const down = sandbox.faults.always('certificates', {
      kind: 'error_before_effect',
      status: 503,
    });
    const unsure = connectionsAt(port);
    const unsureServer = await serveAt(unsure, { port: await freePort() });
    const path = new URL(target.url).pathname;
    const elsewhere = { url: `${unsureServer.url}${path}` };
    expect((await register(paymentId, elsewhere)).answer).toBe(503);
    down.remove();
    expect((await register(paymentId, target)).answer).toBe(202);
    expect(await registrationsOf(paymentId)).toHaveLength(1);
    await Promise.all([again.close(), unsureServer.close(), away.close(), unsure.close()]);
  });

  it('finds no door at an address that was never given out, or where there is no scheme', async () => {
    const paymentId = await paid();
    const wrong = [
      url.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
      url.replace('/shop/', '/plain/'),
      connections.notificationUrl('shop')!.replace('/notifications/', '/loyalty/'),
      url.replace('/loyalty/', '/notifications/'),
    ];
    for (const each of wrong) expect((await register(paymentId, { url: each })).answer).toBe(404);
    expect(connections.loyaltyUrl('plain')).toBeUndefined();
  });

  it('that is too large is refused', async () => {
    const paymentId = await paid();
    const fields = { more: 'x'.repeat(64 * 1024) };
    expect((await register(paymentId, { fields })).answer).toBe(413);
  });

  it('is counted where it is refused', async () => {
    await server.server.settled();
    const reasons = (await store.inbox.refusals()).map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(
      new Set(['forged', 'foreign', 'malformed', 'oversized', 'unknown_url']),
    );
  });
});

describe('PCQ-21: registrations to be worked off', () => {
  it('are listed oldest first, by state, page by page', async () => {
    const payments = [await paid(), await paid(), await paid()];
    for (const each of payments) await register(each);
    const all = (await listed('?limit=100')).registrations;
    const mine = all.filter((each) => payments.includes(each.providerReference));
    expect(mine.map(({ providerReference }) => providerReference)).toEqual(payments);
    await done(mine[1]!.id);
    const open = (await listed('?limit=100&state=open')).registrations.map(({ id }) => id);
    expect(open).toEqual(expect.arrayContaining([mine[0]!.id, mine[2]!.id]));
    expect(open).not.toContain(mine[1]!.id);
    const first = await listed('?limit=1');
    const second = await listed(`?limit=1&cursor=${first.nextCursor!}`);
    expect([...first.registrations, ...second.registrations].map(({ id }) => id)).toEqual(
      all.slice(0, 2).map(({ id }) => id),
    );
    expect((await listed('?connectionId=elsewhere')).registrations).toEqual([]);
  });

  it('need both scopes, since they name people', async () => {
    for (const key of ['operator', 'officer', 'shop'] as const) {
      const list = await server.call('GET', '/v1/loyalty-registrations', { key });
      const tell = await server.call('POST', '/v1/loyalty-registrations/1/done', { key });
      expect([list.status, tell.status], key).toEqual([403, 403]);
    }
  });

  it('are not there under ids that are none', async () => {
    for (const id of ['0', '999999', 'x']) expect((await done(id)).status).toBe(404);
    const wrong = await server.call('GET', '/v1/loyalty-registrations?cursor=x', asScheme);
    expect(wrong.status).toBe(400);
    expect((await done('1', { earned: 1.5, message: '' })).body).toMatchObject({
      violations: [{ field: 'earned' }, { field: 'message' }],
    });
  });

  it('tell where to register them, and never whose they are in the log', async () => {
    const asOperator = { key: 'operator' } as const;
    const { body } = await server.call('GET', '/v1/connections/shop/urls', asOperator);
    expect(body).toMatchObject({ loyaltyUrl: url });
    const plain = await server.call('GET', '/v1/connections/plain/urls', asOperator);
    expect(plain.body).not.toHaveProperty('loyaltyUrl');
    expect(server.log()).toContain('"route":"/loyalty/:connectionId/:token"');
    expect(server.log()).toContain('loyalty accounts read');
    expect(server.log()).not.toContain(MEMBER);
    expect(server.log()).not.toContain(new URL(url).pathname.split('/').at(-1));
  });
});
