/** Reconciliation over HTTP: runs, reports in their formats, payouts, breaks and the ledger. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addDays } from '../../src/domain/calendar.js';
import type { Break, ReconciliationRun } from '../../src/domain/reconciliation.js';
import { sha256Hex } from '../../src/transport/digest.js';
import { openBooks, type Books } from '../support/books.js';
import { CONNECTION_ID } from '../support/harness.js';
import { eur } from '../store/examples.js';
import { serve, type TestServer } from './support.js';

const FORMULA = '=HYPERLINK("http://x")';
const REASON = '<script>alert(1)</script>';

let books: Books;
let server: TestServer;
let run: ReconciliationRun;
let payoutReference: string;

beforeAll(async () => {
  books = await openBooks();
  const { harness, day } = books;
  server = await serve(harness, { now: () => harness.sandbox.clock.now() });
  await books.sell(1250);
  const { providerReference } = await books.sell(123_456);
  harness.sandbox.payouts.inject({
    ...{ kind: 'wrong_amount', of: { paymentId: providerReference! }, amount: 123_400 },
  });
  const unknown = { kind: 'unknown_payment', businessDay: day, amount: 700 } as const;
  harness.sandbox.payouts.inject({ ...unknown, reference: FORMULA, totals: 'follow' });
  await books.toMorning();
  const answer = await server.call('POST', '/v1/reconciliations', {
    key: 'operator',
    body: { connectionId: CONNECTION_ID, day },
  });
  expect(answer.status).toBe(200);
  run = answer.body as ReconciliationRun;
  payoutReference = harness.sandbox.payouts.list()[0]!.payoutId;
}, 90_000);

afterAll(async () => {
  await server.close();
  await books.close();
});

const get = (path: string, headers: Record<string, string> = {}) =>
  server.call('GET', `/v1/${path}`, { key: 'reader', headers });
const ask = (body: Record<string, unknown>, key: 'operator' | 'shop' = 'operator') =>
  server.call('POST', '/v1/reconciliations', { key, body });

describe('a run', () => {
  test('is answered with its totals, listed, and read', async () => {
    expect(run).toMatchObject({ status: 'finished', connectionId: CONNECTION_ID });
    expect(run.totals?.payments).toMatchObject({ seen: { count: 3 }, matched: { count: 2 } });
    expect((await get(`reconciliations/${run.runId}`)).body).toEqual(run);
    const listed = await get(`reconciliations?connectionId=${CONNECTION_ID}&limit=100`);
    expect((listed.body as { runs: unknown[] }).runs).toContainEqual(run);
    expect((await get('reconciliations?cursor=nonsense')).status).toBe(400);
    expect((await get('reconciliations/none')).status).toBe(404);
  });

  test('is refused where it cannot be', async () => {
    const { day } = books;
    const connectionId = CONNECTION_ID;
    expect((await ask({ connectionId, day }, 'shop')).status).toBe(403);
    expect(await ask({ connectionId: 'nowhere', day })).toMatchObject({ status: 404 });
    const today = addDays(day, 40);
    const from = addDays(day, -30);
    for (const wrong of [
      {},
      { day, payoutReference },
      { from: day },
      { day, to: day },
      { day: today },
      { from: day, to: addDays(day, -1) },
      { from, to: day },
      { day: '2026-02-30' },
    ]) {
      const answer = await ask({ connectionId, ...wrong });
      expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400 });
    }
  });
});

describe('the report', () => {
  const path = () => `reconciliations/${run.runId}/report`;

  test('comes as JSON, as CSV and as a page, by name or by the Accept header', async () => {
    const types = async (query: string, accept?: string) =>
      (await get(`${path()}${query}`, accept === undefined ? {} : { accept })).headers
        .get('content-type')
        ?.split(';')[0];
    expect(await types('')).toBe('application/json');
    expect(await types('', 'text/html,application/xhtml+xml')).toBe('text/html');
    expect(await types('', 'text/csv')).toBe('text/csv');
    expect(await types('?format=json', 'text/html')).toBe('application/json');
    expect((await get(`${path()}?format=pdf`)).status).toBe(400);
    expect((await get('reconciliations/none/report?format=csv')).status).toBe(404);
  });

  test('tells breaks and payouts with both sides', async () => {
    const { body } = await get(path());
    expect(body).toMatchObject({
      run: { runId: run.runId },
      payouts: [{ payoutReference, lines: { payments: { count: 3 } } }],
      furtherBreaks: 0,
    });
    const { breaks } = body as { breaks: Break[] };
    expect(breaks.find(({ kind }) => kind === 'amount_differs')).toMatchObject({
      ...{ status: 'open', ours: eur(123_456), theirs: eur(123_400), difference: eur(-56) },
    });
  });

  test('has one CSV row for each total and break', async () => {
    const { text, headers } = await get(`${path()}?format=csv`);
    expect(headers.get('content-disposition')).toContain(`reconciliation-${run.runId}.csv`);
    const rows = text.trimEnd().split('\r\n');
    const [header, ...rest] = rows;
    expect(header).toMatch(/^row,kind,status,count,currency,ours,theirs,difference,/);
    expect(rest).toContainEqual(
      expect.stringMatching(/^total,payments,seen,3,EUR,,1253\.50,,.*,shop,/),
    );
    expect(rest).toContainEqual(
      expect.stringMatching(/^break,amount_differs,open,1,EUR,1234\.56,1234\.00,-0\.56,/),
    );
    expect(rest.filter((row) => row.startsWith('break,'))).toHaveLength(3);
    for (const row of rest) expect(row.split(',')).toHaveLength(header!.split(',').length);
  });

  test('is a page that loads and runs nothing, and shows what is put in as text', async () => {
    const breaks = await books.breaks();
    const found = breaks.find(({ kind }) => kind === 'amount_differs')!;
    const resolved = await server.call('POST', `/v1/breaks/${found.breakId}/resolve`, {
      ...{ key: 'operator', body: { actor: 'ann', reason: REASON } },
    });
    expect(resolved).toMatchObject({ status: 200, body: { status: 'closed' } });
    const { text, headers } = await get(`${path()}?format=html`);
    expect(text).toContain('EUR 1,234.56');
    expect(text).toContain('Amount differs');
    // As the run left it, though it has been closed since.
    expect(text).not.toContain('alert(1)');
    expect(text).not.toMatch(/<script|<img|<link|src=|url\(|@import|https?:/);

    const later = (await ask({ connectionId: CONNECTION_ID, day: books.day })).body as typeof run;
    const page = await get(`reconciliations/${later.runId}/report?format=html`);
    expect(page.text).toContain('&#60;script&#62;alert(1)&#60;/script&#62;');
    expect(page.text).not.toContain('<script');
    expect(await get(path())).toMatchObject({ status: 200 });

    const style = /<style>([^]*)<\/style>/.exec(text)?.[1] ?? '';
    const digest = Buffer.from(sha256Hex(style), 'hex').toString('base64');
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`style-src 'sha256-${digest}'`);
  });
});

describe('payouts', () => {
  test('are listed and read, with their lines page by page', async () => {
    const { body } = await get(`payouts?connectionId=${CONNECTION_ID}&status=succeeded`);
    expect(body).toMatchObject({ payouts: [{ payoutReference, status: 'succeeded' }] });
    const one = `payouts/${CONNECTION_ID}/${payoutReference}`;
    expect((await get(one)).body).toMatchObject({ payoutReference, payments: { count: 3 } });
    const first = (await get(`${one}/lines?limit=2`)).body as {
      lines: unknown[];
      nextCursor: string;
    };
    expect(first.lines).toHaveLength(2);
    const rest = await get(`${one}/lines?limit=2&cursor=${first.nextCursor}`);
    expect((rest.body as { lines: unknown[] }).lines).toHaveLength(1);
    expect((await get(`payouts/${CONNECTION_ID}/none`)).status).toBe(404);
    expect((await get(`payouts/${CONNECTION_ID}/none/lines?format=csv`)).status).toBe(404);
  });

  test('have all their lines in a CSV that no spreadsheet runs', async () => {
    const { text } = await get(`payouts/${CONNECTION_ID}/${payoutReference}/lines?format=csv`);
    const rows = text.trimEnd().split('\r\n');
    expect(rows).toHaveLength(4);
    expect(text).toContain(`"'=HYPERLINK(""http://x"")"`);
    expect(text).not.toMatch(/(^|,)=/m);
    expect(text).toContain(',1234.00,1234.56,amount_differs,');
  });
});

describe('breaks', () => {
  test('are filtered and read', async () => {
    const query = `connectionId=${CONNECTION_ID}&kind=missing_here&status=explained`;
    const { body } = await get(`breaks?${query}&businessDay=${books.day}&runId=${run.runId}`);
    const { breaks } = body as { breaks: Break[] };
    expect(breaks).toMatchObject([{ kind: 'missing_here', theirs: eur(700) }]);
    const [found] = breaks;
    expect((await get(`breaks/${found!.breakId}`)).body).toEqual(found);
    expect((await get('breaks/none')).status).toBe(404);
    expect((await get('breaks?kind=odd')).status).toBe(400);
  });

  test('are closed by those who may, with who and why', async () => {
    const [found] = await books.breaks();
    const path = `/v1/breaks/${found!.breakId}/resolve`;
    const body = { actor: 'ann', reason: 'seen' };
    expect((await server.call('POST', path, { key: 'shop', body })).status).toBe(403);
    const unsaid = { key: 'operator', body: { actor: 'ann' } } as const;
    expect((await server.call('POST', path, unsaid)).status).toBe(400);
    const nowhere = await server.call('POST', '/v1/breaks/none/resolve', { key: 'operator', body });
    expect(nowhere.status).toBe(404);
  });
});

test('a run that has no answer in time is accepted, and found where its answer says', async () => {
  await books.harness.stopWorker();
  const accepted = await ask({ connectionId: CONNECTION_ID, payoutReference });
  const { runId } = accepted.body as { runId: string };
  expect(accepted.status).toBe(202);
  expect(accepted.headers.get('location')).toBe(`/v1/reconciliations/${runId}`);
  await books.harness.startWorker();
  await expect
    .poll(async () => (await get(`reconciliations/${runId}`)).body, { timeout: 15_000 })
    .toMatchObject({ runId, status: 'finished', scope: { payoutReference } });
});

test('the ledger is read with its trial balance, which is zero', async () => {
  const { body } = await get(`ledger?connectionId=${CONNECTION_ID}`);
  expect(body).toMatchObject({ trial: [eur(0)] });
  const { accounts } = body as { accounts: { account: string }[] };
  expect(accounts.map(({ account }) => account)).toContain('merchant_bank');
});
