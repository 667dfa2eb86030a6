/** Our own keys, from the settings to the provider that verifies with what our server publishes. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../src/temporal/ports.js';
import { TIMING } from '../../../src/domain/timing.js';
import { openConnections, type Connections } from '../../../src/providers/connections.js';
import {
  startPayconiqSandbox,
  type PayconiqSandbox,
} from '../../../src/sandbox/payconiq/sandbox.js';
import { certificateChain, newKeyPair } from '../../support/certificates.js';
import { clientWithoutTemporal, serve, storeThatIsDown } from '../../http/support.js';
import { intentOf, requestOf } from './merchant.js';

const HOUR_MS = 3_600_000;

interface Installation {
  /** Creates a payment; what came of it. */
  create(): Promise<string>;
  stop(): Promise<void>;
}

let port: number;
let sandbox: PayconiqSandbox;
let running: Installation;

beforeEach(async () => {
  port = await freePort();
  const merchantKeys = `http://127.0.0.1:${port}/connections/shop/jwks.json`;
  sandbox = await startPayconiqSandbox({ merchantKeys });
});
afterEach(async () => {
  await running.stop();
  await sandbox.close();
});

const keyOf = (kid: string, changes: object = {}) => {
  const pair = newKeyPair();
  const { privateKeyPem } = pair;
  return { kid, privateKeyPem, certificatePem: certificateChain(pair), ...changes };
};

/** Worker and server of one configuration. Clocks are the provider's. */
async function install(signing: unknown): Promise<Installation> {
  const { url: apiBaseUrl, jwksUrl, profileId, merchantId } = sandbox;
  const connections: Connections = openConnections({
    connections: [
      {
        id: 'shop',
        provider: 'payconiq',
        settings: { apiBaseUrl, jwksUrl, profileId, merchantId, signing },
      },
    ],
    timing: TIMING.production,
    now: () => sandbox.clock.now(),
    notificationSecret: 'test',
  });
  const store = await storeThatIsDown();
  const server = await serve({ client: clientWithoutTemporal(), store, connections }, { port });
  const { create } = connections.get('shop')!.payments!.operations;
  running = {
    async create() {
      const nowMs = sandbox.clock.now();
      const times = { intendedAtMs: nowMs, latestWriteAtMs: nowMs + 10_000 };
      const outcome = await create.send(intentOf('create', requestOf(), times));
      return outcome.kind === 'not_sent' ? outcome.problem.code : outcome.kind;
    },
    async stop() {
      await server.close();
      await connections.close();
    },
  };
  return running;
}

async function reconfigure(signing: unknown): Promise<Installation> {
  await running.stop();
  return install(signing);
}

describe('PCQ-18: a new signing key', () => {
  it('is refused for half a day where it signs at once', async () => {
    const [old, next] = [keyOf('old'), keyOf('next')];
    expect(await (await install(old)).create()).toBe('succeeded');
    await reconfigure(next);
    expect(await running.create()).toBe('unauthorized');
    await sandbox.clock.advance(11 * HOUR_MS);
    expect(await running.create()).toBe('unauthorized');
    await sandbox.clock.advance(HOUR_MS);
    expect(await running.create()).toBe('succeeded');
  });

  it('takes over by itself, 12 hours after it was published, and nothing is refused', async () => {
    const old = keyOf('old');
    expect(await (await install(old)).create()).toBe('succeeded');
    const publishedAt = new Date(sandbox.clock.now()).toISOString();
    const next = keyOf('next', { publishedAt });
    await reconfigure({ keys: [old, next] });
    for (let hour = 0; hour <= 25; hour += 1) {
      expect(await running.create(), `hour ${hour}`).toBe('succeeded');
      await sandbox.clock.advance(HOUR_MS);
    }
    await reconfigure({ keys: [next] });
    expect(await running.create()).toBe('succeeded');
    const kids = sandbox.requests().flatMap(({ kid }) => kid ?? []);
    expect(kids).toEqual([...Array<string>(13).fill('old'), ...Array<string>(15).fill('next')]);
  });

  it('is not published with the certificate of another', async () => {
    const { certificatePem } = keyOf('other');
    await expect(install(keyOf('old', { certificatePem }))).rejects.toThrow(
      'connections.shop.signing.certificatePem: is for another key than privateKeyPem',
    );
    await install(keyOf('old'));
  });
});
