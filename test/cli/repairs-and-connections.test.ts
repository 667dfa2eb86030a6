/** `holdfast payment repair …` and `holdfast connection …`, over a real server and worker. */
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectionCommands } from '../../src/cli/connection-commands.js';
import { paymentCommands } from '../../src/cli/payment-commands.js';
import { defaultConfig, type Config } from '../../src/config.js';
import { connectionList, connectionUrls, sweepResult } from '../../src/http/connection-schemas.js';
import type { ApiKey } from '../../src/http/access.js';
import { CONNECTION_ID, startHarness, type Harness } from '../support/harness.js';
import { loseCallbacks, movements, RELEASED, TAKEN } from '../workflows/observed.js';
import { KEYS, serve, type TestServer } from '../http/support.js';

const BOSS: ApiKey = {
  id: 'boss',
  secret: 'key-of-the-boss',
  scopes: ['payments:read', 'payments:write', 'operations'],
};

let harness: Harness;
let server: TestServer;

beforeAll(async () => {
  harness = await startHarness({ notifications: true });
  server = await serve(harness, { apiKeys: [BOSS, KEYS.reader] });
  await harness.startWorker();
});
afterAll(async () => {
  await server.close();
  await harness.close();
});

/** What `holdfast <group> …` prints. */
async function printed(
  group: 'payment' | 'connection',
  words: readonly string[],
  apiKeys: readonly ApiKey[] = [KEYS.reader, BOSS],
): Promise<string> {
  const config: Config = { ...defaultConfig(), apiKeys };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  paymentCommands(program, () => config);
  connectionCommands(program, () => config);
  quieten(program);
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync([group, '--url', server.url, ...words], { from: 'user' });
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
const repair = (...words: readonly string[]) => printed('payment', ['repair', ...words, ...by]);

async function openAuthorized(): Promise<{ paymentId: string; reference: string; id: string }> {
  const { paymentId, request, created } = await harness.open({ captureMode: 'manual' });
  harness.sandbox.consumer.pay(created.paymentId);
  await harness.until(paymentId, ({ status }) => status === 'authorized');
  return { paymentId, reference: request.merchantReference, id: created.paymentId };
}

describe('holdfast payment repair', () => {
  test('ask: believes what the provider answers, and keeps who asked and why', async () => {
    const { paymentId, request, created } = await harness.open({ captureMode: 'manual' });
    loseCallbacks(harness.sandbox, request.merchantReference);
    harness.sandbox.consumer.pay(created.paymentId);
    expect(await repair('ask', paymentId)).toBe(`${paymentId} is authorized\n`);
    expect(await harness.client.get(paymentId)).toMatchObject({
      repairs: [{ repair: { kind: 'ask' }, actor: 'ada', reason: 'the payer says so' }],
    });
    expect(await printed('payment', ['capture', paymentId])).toBe(`${paymentId} is captured\n`);
    await harness.ended(paymentId);
    expect(movements(harness.sandbox, request.merchantReference)).toEqual(TAKEN);
  });

  test('state: takes a fact as JSON', async () => {
    const { paymentId } = await openAuthorized();
    expect(await repair('state', paymentId, '{"kind":"voided"}')).toBe(`${paymentId} is voided\n`);
    expect(await harness.ended(paymentId)).toMatchObject({
      amounts: { voided: { minor: '1250', currency: 'EUR' } },
    });
  });

  test('state: says what is wrong with the fact', async () => {
    await expect(repair('state', 'nobodys', '{"kind":"created"}')).rejects.toThrow(
      /repair\.fact\.kind must be one of authorized, captured/,
    );
    await expect(repair('state', 'nobodys', 'captured')).rejects.toThrow(
      'the fact is no JSON: write it as {"kind":"captured"}',
    );
  });

  test('retry: allows what was refused for good', async () => {
    const { paymentId, reference, id } = await openAuthorized();
    const refusal = { kind: 'answer', code: 'CALLER_NOT_ALLOWED_TO_CANCEL' } as const;
    const where = { paymentId: id };
    const refusing = harness.sandbox.faults.always('void', refusal, { where });
    await printed('payment', ['void', paymentId, '--reason', 'sold out']);
    await harness.until(paymentId, ({ attention }) => attention?.reason === 'void_refused');
    refusing.remove();
    expect(await repair('retry', paymentId, 'void')).toMatch(`${paymentId} is `);
    await harness.ended(paymentId);
    expect(movements(harness.sandbox, reference)).toEqual(RELEASED);
  });

  test('dismiss: takes a payment off the list of those that need a person', async () => {
    const { paymentId } = await harness.open();
    const wrong = { kind: 'captured', amount: { minor: '1300', currency: 'EUR' } };
    await repair('state', paymentId, JSON.stringify(wrong));
    await harness.ended(paymentId);
    const list = () => printed('payment', ['list', '--attention', '--limit', '100']);
    expect(await list()).toContain(paymentId);
    expect(await repair('dismiss', paymentId)).toBe(`${paymentId} is captured\n`);
    await harness.ended(paymentId);
    expect(await list()).not.toContain(paymentId);
  });

  test('needs who and why, a payment, and the scope', async () => {
    await expect(printed('payment', ['repair', 'ask', 'nobodys'])).rejects.toThrow(
      "required option '--actor <name>' not specified",
    );
    await expect(repair('ask', 'nobodys')).rejects.toThrow('there is no payment of this id');
    const asked = ['repair', 'ask', 'nobodys', ...by];
    await expect(printed('payment', asked, [KEYS.reader])).rejects.toThrow(
      'This needs the scope operations.',
    );
  });
});

describe('holdfast connection', () => {
  test('list: shows what each can do', async () => {
    const { connections } = connectionList.parse(JSON.parse(await printed('connection', ['list'])));
    expect(connections).toMatchObject([{ connectionId: CONNECTION_ID, canSearch: true }]);
  });

  test('urls: tells what to enter at the provider', async () => {
    const { notificationUrl } = connectionUrls.parse(
      JSON.parse(await printed('connection', ['urls', CONNECTION_ID])),
    );
    expect(notificationUrl).toBe(harness.connections.notificationUrl(CONNECTION_ID));
  });

  test('PCQ-06: sweep: shows what was found', async () => {
    const answer = await printed('connection', ['sweep', CONNECTION_ID]);
    const { found } = sweepResult.parse(JSON.parse(answer));
    expect(found).toBe(harness.sandbox.payments().length);
    await expect(printed('connection', ['sweep', 'nowhere'])).rejects.toThrow(
      'there is no connection nowhere',
    );
  });
});
