import { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { paymentCommands } from '../../src/cli/payment-commands.js';
import { defaultConfig, type Config } from '../../src/config.js';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections } from '../../src/providers/connections.js';
import { openStore, type Store } from '../../src/store/store.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import { clientWithoutTemporal, KEYS, serve, type TestServer } from '../http/support.js';
import { aRecord } from '../store/examples.js';

let store: Store;
let server: TestServer;
const record = aRecord();
const { paymentId } = record.request;

beforeAll(async () => {
  const keys = createKeyRing([{ id: 'test', secret: new Uint8Array(32).fill(1) }]);
  store = await openStore({ kind: 'embedded', directory: 'memory' }, keys);
  await store.migrate();
  await store.recordPayment(record);
  await store.payers.remember(paymentId, { name: 'Zoë Müller' });
  const connections = openConnections({
    connections: [],
    timing: TIMING.fast,
    now: Date.now,
    notificationSecret: 'test',
  });
  server = await serve({ client: clientWithoutTemporal(), connections, store });
});
afterAll(async () => {
  await server.close();
  await store.close();
});

/** What `holdfast payment …` prints. */
async function printed(...words: string[]): Promise<string> {
  const config: Config = { ...defaultConfig(), apiKeys: [KEYS.officer] };
  const program = new Command();
  paymentCommands(program, () => config);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(['payment', '--url', server.url, ...words], { from: 'user' });
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

test('the payer of a payment is shown, erased, and then unknown', async () => {
  expect(JSON.parse(await printed('payer', paymentId))).toEqual({ name: 'Zoë Müller' });
  expect(await printed('payer', paymentId, '--refresh')).toContain('Zoë Müller');
  expect(await printed('erase-payer', paymentId)).toBe(`the payer of ${paymentId} is erased\n`);
  await expect(printed('payer', paymentId)).rejects.toThrow(
    `nothing is known of the payer of ${paymentId}`,
  );
  expect(await store.payers.read(paymentId)).toBeUndefined();
});
