/** `holdfast reconcile`, `breaks`, `payouts` and `ledger`, over a real server and worker. */
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { reconciliationCommands } from '../../src/cli/reconciliation-commands.js';
import { defaultConfig } from '../../src/config.js';
import type { ApiKey } from '../../src/http/access.js';
import { serve, type TestServer } from '../http/support.js';
import { openBooks, type Books } from '../support/books.js';
import { CONNECTION_ID } from '../support/harness.js';

const BOSS: ApiKey = {
  id: 'boss',
  secret: 'key-of-the-boss',
  scopes: ['payments:read', 'payments:write', 'operations'],
};

let books: Books;
let server: TestServer;

beforeAll(async () => {
  books = await openBooks();
  const { harness } = books;
  const now = () => harness.sandbox.clock.now();
  server = await serve(harness, { apiKeys: [BOSS], now });
  const { providerReference: paymentId } = await books.sell(1250);
  harness.sandbox.payouts.inject({
    ...{ kind: 'wrong_amount', totals: 'follow', of: { paymentId: paymentId! }, amount: 1200 },
  });
  await books.toMorning();
}, 60_000);

afterAll(async () => {
  await server.close();
  await books.close();
});

/** What `holdfast …` prints, without how tables are drawn. */
async function printed(...words: readonly string[]): Promise<string> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  reconciliationCommands(program, () => ({ ...defaultConfig(), apiKeys: [BOSS] }));
  const [group = '', ...rest] = words;
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await program.parseAsync([group, '--url', server.url, ...rest], { from: 'user' });
    return written.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    written.mockRestore();
  }
}

const cells = (text: string) => text.replace(/[^\S\n]*│[^\S\n]*/g, '|');

test('reconcile tells totals and breaks; breaks are listed and resolved', async () => {
  const { day } = books;
  const summary = cells(await printed('reconcile', CONNECTION_ID, '--day', day));
  expect(summary).toMatch(/^run \S+ finished\n/);
  expect(summary).toContain('|payments reported|1|EUR 12.00|');
  expect(summary).toContain('|amount_differs, open|1|EUR 0.50|');
  expect(summary).toContain('|unexplained||EUR 0.50|');

  const listed = cells(await printed('breaks', 'list', '--connection', CONNECTION_ID));
  const row = new RegExp(
    `([0-9a-f]{32})\\|${day}\\|amount_differs\\|open\\|payment \\S+\\|EUR 12.50\\|EUR 12.00\\|EUR -0.50`,
  );
  const [, breakId = ''] = row.exec(listed) ?? [];
  expect(breakId).not.toBe('');
  const by = ['--actor', 'ann', '--reason', 'agreed by phone'];
  expect(await printed('breaks', 'resolve', breakId, ...by)).toBe(`${breakId} is closed\n`);
  expect(await printed('breaks', 'list')).not.toContain(breakId);
  expect(await printed('breaks', 'list', '--status', 'closed')).toContain(breakId);
  expect(await printed('breaks', 'list', '--status', 'all', '--kind', 'duplicate')).not.toContain(
    breakId,
  );
});

test('payouts and the ledger are tables', async () => {
  const payouts = cells(await printed('payouts', 'list', '--connection', CONNECTION_ID));
  expect(payouts).toContain('|succeeded|1: EUR 12.00|0: EUR 0.00|EUR 12.00|1 of 1|');
  const ledger = cells(await printed('ledger', '--connection', CONNECTION_ID));
  expect(ledger).toContain('|all|trial balance|EUR 0.00|');
  expect(ledger).toContain(`|${CONNECTION_ID}|provider_pending|`);
});

test('reconcile says what is wrong with what was asked', async () => {
  await expect(printed('reconcile', CONNECTION_ID)).rejects.toThrow(/either day, or from and to/);
  await expect(printed('reconcile', 'nowhere', '--day', books.day)).rejects.toThrow(
    'there is no connection nowhere',
  );
  const payout = ['--payout', 'f'.repeat(24)];
  expect(await printed('reconcile', CONNECTION_ID, ...payout)).toMatch(/^run \S+ failed: /);
});
