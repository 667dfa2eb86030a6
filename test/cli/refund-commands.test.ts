/** `holdfast refund …`, over a real server and worker. */
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { refundCommands } from '../../src/cli/refund-commands.js';
import { defaultConfig, type Config } from '../../src/config.js';
import type { Refund } from '../../src/domain/refund.js';
import type { ApiKey } from '../../src/http/access.js';
import { KEYS, serve, type TestServer } from '../http/support.js';
import { startHarness, type Harness } from '../support/harness.js';
import { refunding } from '../support/refunding.js';

const BOSS: ApiKey = {
  id: 'boss',
  secret: 'key-of-the-boss',
  scopes: ['payments:read', 'payments:write', 'operations'],
};

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  harness = await startHarness({ notifications: true, signed: true });
  harness.sandbox.refunds.course('pending');
  server = await serve(harness, { apiKeys: [BOSS, KEYS.reader] });
  await harness.startWorker();
});
afterAll(async () => {
  await server.close();
  await harness.close();
});

const { captured, until, recorded, ended, atProvider, fault } = refunding(() => harness);

/** What `holdfast refund …` prints. */
async function printed(words: readonly string[], apiKeys: readonly ApiKey[] = [BOSS]) {
  const config: Config = { ...defaultConfig(), apiKeys };
  const program = new Command().exitOverride();
  refundCommands(program, () => config);
  quieten(program);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync(['refund', '--url', server.url, ...words], { from: 'user' });
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

/** A wrong usage is thrown, not an end of the process. */
function quieten(command: Command): void {
  for (const each of command.commands) {
    each.exitOverride().configureOutput({ writeErr: () => undefined });
    quieten(each);
  }
}

const by = ['--actor', 'ada', '--reason', 'the payer says so'];

async function created(paymentId: string, ...words: readonly string[]): Promise<string> {
  const refundId = randomUUID();
  await printed(['create', paymentId, '--id', refundId, ...words]);
  return refundId;
}

describe('holdfast refund', () => {
  test('create: of so much, or of all that is left; the same id is the same refund', async () => {
    const { paymentId, object } = await captured();
    const id = randomUUID();
    const words = ['create', paymentId, '--cents', '350', '--description', 'Cold', '--id', id];
    expect(await printed(words)).toBe(`${id} (EUR 3.50) is pending\n`);
    expect(await printed(words)).toBe(`${id} (EUR 3.50) is pending\n`);
    expect(await printed(['create', paymentId])).toMatch(/^ref_\w+ \(EUR 9\.00\) is pending\n$/);
    expect(atProvider(object)).toMatchObject([
      { amount: 350, description: 'Cold' },
      { amount: 900 },
    ]);
    await expect(printed(['create', paymentId, '--cents', '1'])).rejects.toThrow(
      'no more than EUR 0.00 is left to refund',
    );
    await expect(
      printed(['create', paymentId, '--cents', '1', '--currency', 'USD']),
    ).rejects.toThrow('amount.currency must be EUR');
  });

  test('show and list: one as JSON, many as a table, with what is left of a payment', async () => {
    const { paymentId } = await captured();
    const refundId = await created(paymentId, '--cents', '350');
    const shown = JSON.parse(await printed(['show', refundId], [KEYS.reader])) as Refund;
    expect(shown).toMatchObject({ refundId, status: 'pending' });
    const listed = await printed(['list', '--payment', paymentId], [KEYS.reader]);
    expect(listed).toMatch(new RegExp(`${refundId}.*${paymentId}.*pending.*EUR 3\\.50`));
    expect(listed).toContain('left to refund: EUR 9.00\n');
    const others = ['list', '--status', 'failed', '--connection', 'shop', '--limit', '5'];
    expect(await printed(others)).not.toContain(refundId);
    await expect(printed(['show', 'nobodys'])).rejects.toThrow('there is no refund nobodys');
  });

  test('cancel: ends what waits for the provider, and needs a reason', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'DEBTOR_IBAN_NOT_AVAILABLE' }, object, 1_000);
    const refundId = await created(paymentId);
    await expect(printed(['cancel', refundId])).rejects.toThrow("required option '--reason");
    const answer = await printed(['cancel', refundId, '--reason', 'kept it']);
    expect(answer).toBe(`${refundId} (EUR 12.50) is failed\n`);
  });

  test('repair: takes a stuck refund off the list, and states how it stands', async () => {
    const { paymentId, object } = await captured();
    fault({ kind: 'answer', code: 'REFUND_REQUEST_CONFLICT' }, object, 1_000);
    const refundId = await created(paymentId, '--cents', '5');
    await recorded(refundId, ({ attention }) => attention?.reason === 'key_conflict');
    const attention = () => printed(['list', '--attention']);
    expect(await attention()).toContain(refundId);
    expect(await printed(['repair', 'dismiss', refundId, ...by])).toMatch(/is unknown\n$/);
    await recorded(refundId, (refund) => refund.attention === undefined);
    expect(await attention()).not.toContain(refundId);

    const reference = ['--provider-reference', 'f'.repeat(24)];
    const stating = ['repair', 'state', refundId, 'succeeded', ...by];
    await expect(printed(stating)).rejects.toThrow('repair.providerReference');
    expect(await printed([...stating, ...reference])).toMatch(/is succeeded\n$/);
    await ended(refundId);
    await expect(printed(stating, [KEYS.reader])).rejects.toThrow('needs the scope operations');
  });

  test('repair ask: believes what the provider answers', async () => {
    const { paymentId, object } = await captured();
    const refundId = await created(paymentId);
    await until(refundId, ({ status }) => status === 'pending');
    harness.sandbox.refunds.advance(atProvider(object)[0]!.refundId, 'REFUNDED');
    await printed(['repair', 'ask', refundId, ...by]);
    expect(await ended(refundId)).toMatchObject({
      status: 'succeeded',
      repairs: [{ actor: 'ada' }],
    });
  });
});
