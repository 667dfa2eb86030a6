/** Payconiq's keys change while its callbacks arrive: from its posts to the notification door. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections, type Connections } from '../../src/providers/connections.js';
import type { CallbackRecord } from '../../src/sandbox/payconiq/callbacks.js';
import { startPayconiqSandbox, type PayconiqSandbox } from '../../src/sandbox/payconiq/sandbox.js';
import type { Store } from '../../src/store/store.js';
import { freePort } from '../../src/temporal/ports.js';
import { intentOf, requestOf } from '../providers/payconiq/merchant.js';
import { openEmptyStore } from '../support/harness.js';
import { clientWithoutTemporal, serve, type TestServer } from './support.js';

const HOUR_MS = 3_600_000;
const COOLDOWN_MS = TIMING.production.keySetCooldownMs;

let store: Store;
let sandbox: PayconiqSandbox;
let connections: Connections;
let server: TestServer;
/** By which our clock is ahead; the provider's runs on its own. */
let aheadMs: number;
let storedBefore: number;
/** Telling payments without Temporal takes its time: all of it is waited for at the end, at once. */
const closings: (() => Promise<void>)[] = [];

beforeAll(async () => void (store = await openEmptyStore()));
afterAll(async () => {
  await Promise.all(closings.map((close) => close()));
  await store.close();
});

beforeEach(async () => {
  aheadMs = 0;
  const port = await freePort();
  sandbox = await startPayconiqSandbox({ voidSupport: true });
  const { url: apiBaseUrl, jwksUrl, profileId, apiKey } = sandbox;
  connections = openConnections({
    connections: [
      { id: 'shop', provider: 'payconiq', settings: { apiBaseUrl, jwksUrl, profileId, apiKey } },
    ],
    timing: TIMING.production,
    now,
    notificationSecret: 'test',
    publicUrl: `http://127.0.0.1:${port}`,
  });
  server = await serve({ client: clientWithoutTemporal(), store, connections }, { port });
  storedBefore = await inbox();
  const opened = { server, connections, sandbox };
  closings.push(async () => {
    await opened.server.close();
    await opened.connections.close();
    await opened.sandbox.close();
  });
});

function now(): number {
  return Date.now() + aheadMs;
}

/** A payment that is paid, and the callback about it. */
async function callbackOfPaid(): Promise<CallbackRecord> {
  const { create } = connections.get('shop')!.payments!.operations;
  const times = { intendedAtMs: now(), latestWriteAtMs: now() + 60_000 };
  const outcome = await create.send(intentOf('create', requestOf(), times));
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  const { providerReference = '' } = outcome.value;
  sandbox.consumer.pay(providerReference);
  await sandbox.callbacks.idle();
  return sandbox.callbacks.ofPayment(providerReference).at(-1)!;
}

const answersOf = ({ id }: CallbackRecord) =>
  sandbox.callbacks
    .list()
    .find((each) => each.id === id)!
    .attempts.map(({ answer }) => answer);
const fetches = (): number =>
  sandbox.requests().filter(({ operation }) => operation === 'certificates').length;
const inbox = async () => (await store.inbox.list({ limit: 100 })).notifications.length;
const stored = async () => (await inbox()) - storedBefore;

describe('PCQ-17: while Payconiq changes its key', () => {
  it('a callback with the new one is accepted at once, for one more fetch', async () => {
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
    expect(fetches()).toBe(1);
    aheadMs += HOUR_MS;
    await sandbox.rotateKey();
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
    expect(fetches()).toBe(2);
  });

  it('a callback with the old one, repeated, is accepted as long as both are published', async () => {
    sandbox.faults.next('certificates', { kind: 'error_before_effect', status: 503 });
    const old = await callbackOfPaid();
    expect(answersOf(old)).toEqual([503]);
    await sandbox.rotateKey();
    aheadMs += COOLDOWN_MS;
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
    for (const hours of [0, 11, 12]) {
      aheadMs += hours * HOUR_MS;
      expect(await sandbox.callbacks.repeat(old.id), `${hours} hours on`).toBe(200);
    }
    expect(await stored()).toBe(2);
  });

  it('the old one, once removed, is accepted for the 12 hours of our cache, then refused', async () => {
    const old = await callbackOfPaid();
    await sandbox.rotateKey();
    sandbox.dropOldKeys();
    aheadMs += 11 * HOUR_MS;
    expect(await sandbox.callbacks.repeat(old.id)).toBe(200);
    aheadMs += HOUR_MS;
    expect(await sandbox.callbacks.repeat(old.id)).toBe(401);
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
  });

  it('the old one, once removed, is refused as soon as the new one has been seen', async () => {
    const old = await callbackOfPaid();
    await sandbox.rotateKey();
    sandbox.dropOldKeys();
    aheadMs += COOLDOWN_MS;
    expect(answersOf(await callbackOfPaid())).toEqual([200]);
    aheadMs += COOLDOWN_MS;
    expect(await sandbox.callbacks.repeat(old.id)).toBe(401);
  });

  it('a key in neither set is a forgery, looked for once in a cool-down', async () => {
    const { paymentId } = await callbackOfPaid();
    const forge = () => sandbox.callbacks.forge(paymentId, { how: 'unknown_kid' });
    aheadMs += COOLDOWN_MS;
    expect(await forge()).toBe(401);
    expect([await forge(), await forge()]).toEqual([503, 503]);
    expect(fetches()).toBe(2);
    aheadMs += COOLDOWN_MS;
    expect(await forge()).toBe(401);
    expect(await stored()).toBe(1);
  });

  it('a key set that cannot be had refuses nobody: the callback comes again', async () => {
    const down = sandbox.faults.always('certificates', {
      kind: 'error_before_effect',
      status: 503,
    });
    const first = await callbackOfPaid();
    expect(answersOf(first)).toEqual([503]);
    expect(await stored()).toBe(0);
    down.remove();
    aheadMs += COOLDOWN_MS;
    await sandbox.clock.advance(5_000);
    expect(answersOf(first)).toEqual([503, 200]);
    expect(await stored()).toBe(1);
    expect(server.log()).toContain('"verdict":"unverifiable"');
  });
});
