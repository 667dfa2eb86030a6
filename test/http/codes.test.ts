/** Codes to be printed, and lines of bank statements, over the API and the command line. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import jsQrModule from 'jsqr';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it, test, vi } from 'vitest';
import { connectionCommands } from '../../src/cli/connection-commands.js';
import { defaultConfig } from '../../src/config.js';
import { TIMING } from '../../src/domain/timing.js';
import { printableCode, statementLine } from '../../src/http/code-schemas.js';
import { openConnections, type Connections } from '../../src/providers/connections.js';
import type { StatementLine } from '../../src/providers/provider.js';
import { clientWithoutTemporal, KEYS, serve, storeThatIsDown, type TestServer } from './support.js';

// A CommonJS package whose types promise a default export that Node nests once more.
const jsQr = jsQrModule as unknown as typeof jsQrModule.default;

const PROFILE = '5c18cbd1296e9a26d3278518';
const TEMPLATE = `https://payconiq.com/t/1/${PROFILE}`;

let connections: Connections;
let server: TestServer;

beforeAll(async () => {
  connections = openConnections({
    connections: [
      { id: 'shop', provider: 'payconiq', settings: { profileId: PROFILE, apiKey: 'x' } },
    ],
    timing: TIMING.fast,
    now: Date.now,
    notificationSecret: 'test',
  });
  // Neither database nor Temporal is there: nothing of this needs them.
  const store = await storeThatIsDown();
  server = await serve({ client: clientWithoutTemporal(), store, connections });
});
afterAll(() => server.close());

const make = (body: unknown) =>
  server.call('POST', '/v1/connections/shop/codes', { key: 'reader', body });

const made = async (body: unknown) => printableCode.parse((await make(body)).body);

const imagePath = (query: Record<string, string>) =>
  `/v1/connections/shop/codes/image?${new URLSearchParams(query).toString()}`;

async function image(query: Record<string, string>) {
  const answer = await fetch(`${server.url}${imagePath(query)}`, {
    headers: { authorization: `Bearer ${KEYS.reader.secret}` },
  });
  return { headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}

function scanned(png: Buffer): string | undefined {
  const { data, width, height } = PNG.sync.read(png, { checkCRC: true });
  return jsQr(new Uint8ClampedArray(data), width, height)?.data;
}

const fieldsOf = (body: unknown): string[] =>
  (body as { violations: { field: string }[] }).violations.map(({ field }) => field);

describe('a code to be printed', () => {
  const amount = { minor: '250', currency: 'EUR' };
  const portal = (content: string) =>
    `https://portal.ext.payconiq.com/qrcode?c=${encodeURIComponent(content)}`;

  test('PCQ-23: a sticker names its point of sale', async () => {
    const content = `https://payconiq.com/l/1/${PROFILE}/till%201`;
    const imageUrl = portal(content);
    expect(await made({ kind: 'sticker', posId: 'till 1' })).toEqual({ content, imageUrl });
  });

  test('PCQ-24: a receipt carries what was given, values encoded twice in the image link', async () => {
    const asked = { kind: 'receipt', amount, description: 'Two coffees', reference: 'r-1' };
    const content = `${TEMPLATE}?D=Two%20coffees&A=250&R=r-1`;
    expect(await made(asked)).toEqual({ content, imageUrl: portal(content) });
    expect((await made({ kind: 'receipt' })).content).toBe(TEMPLATE);
  });

  test('PCQ-25, PCQ-26: an invoice is also a link for phones', async () => {
    const plain = {
      kind: 'invoice',
      amount,
      description: 'Invoice Payment',
      reference: '4198798465',
    };
    const content = `${TEMPLATE}?D=Invoice%20Payment&A=250&R=4198798465`;
    expect(await made(plain)).toEqual({ content, imageUrl: portal(content), appLink: content });
    const structured = `${TEMPLATE}?D=173855053134&A=250`;
    for (const how of [
      { communication: '+++173/8550/53134+++' },
      { communication: '173855053134' },
      { invoiceNumber: '1738550531' },
    ]) {
      expect((await made({ kind: 'invoice', amount, ...how })).appLink).toBe(structured);
    }
  });

  test('PCQ-27: a top-up card', async () => {
    const content = `${TEMPLATE}?A=250&R=card-7`;
    const asked = { kind: 'topUp', amount, reference: 'card-7' };
    expect(await made(asked)).toEqual({ content, imageUrl: portal(content) });
  });

  test('PCQ-22: the image link carries the style', async () => {
    const { imageUrl } = await made({ kind: 'receipt', format: 'PNG', size: 'L', colour: 'black' });
    expect(imageUrl).toBe(
      `https://portal.ext.payconiq.com/qrcode?f=PNG&s=L&cl=black&c=${encodeURIComponent(TEMPLATE)}`,
    );
  });

  it.each([
    [{ kind: 'banner' }, ['kind']],
    [{ kind: 'sticker' }, ['posId']],
    [{ kind: 'sticker', posId: 'x'.repeat(37), size: 'XXL' }, ['size']],
    [{ kind: 'sticker', posId: 'x'.repeat(37), format: 'SVG', size: 'L' }, ['posId', 'size']],
    [
      { kind: 'receipt', amount: { minor: '1000000', currency: 'USD' } },
      ['amount.currency', 'amount.minor'],
    ],
    [{ kind: 'receipt', description: 'x'.repeat(36), reference: '' }, ['description', 'reference']],
    [{ kind: 'receipt', communication: '173855053134' }, ['communication']],
    [{ kind: 'invoice', communication: '173855053135' }, ['communication']],
    [{ kind: 'invoice', invoiceNumber: '12345678901' }, ['invoiceNumber']],
    [
      { kind: 'invoice', communication: '173855053134', invoiceNumber: '1', reference: 'r' },
      ['reference', 'invoiceNumber'],
    ],
    [{ kind: 'topUp', amount: '12', reference: 7 }, ['amount', 'reference']],
  ])('%j is refused with every field that is wrong', async (asked, fields) => {
    const { status, body } = await make(asked);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'unusable_code' });
    expect(fieldsOf(body)).toEqual(fields);
  });

  it('needs a kind, a connection, and a key', async () => {
    const none = await make({});
    expect([none.status, fieldsOf(none.body)]).toEqual([400, ['kind']]);
    const body = { kind: 'receipt' };
    const nowhere = await server.call('POST', '/v1/connections/nowhere/codes', { body });
    expect(nowhere.status).toBe(404);
    const stranger = await server.call('POST', '/v1/connections/shop/codes', { key: 'none', body });
    expect(stranger.status).toBe(401);
  });
});

describe('PCQ-22: the image of a code', () => {
  it.each([
    ['S', 180],
    ['M', 250],
    ['L', 400],
    ['XL', 800],
  ])('%s has %i pixels and says its content', async (size, pixels) => {
    const { content } = await made({ kind: 'sticker', posId: 'till-1' });
    const { headers, bytes } = await image({ content, size });
    expect(headers.get('content-type')).toBe('image/png');
    expect(headers.get('cache-control')).toBe('private, max-age=86400, immutable');
    expect(PNG.sync.read(bytes).width).toBe(pixels);
    expect(scanned(bytes)).toBe(content);
  });

  it('is an SVG of the right colour where that is asked for', async () => {
    const { headers, bytes } = await image({ content: TEMPLATE, format: 'SVG', colour: 'black' });
    expect(headers.get('content-type')).toBe('image/svg+xml');
    expect(bytes.toString()).toMatch(/^<svg .*fill="#000000"/);
  });

  it('is drawn of an open payment too', async () => {
    const { bytes } = await image({
      content: 'https://payconiq.com/pay/2/5bdb1685b93d1c000bde96f2',
    });
    expect(scanned(bytes)).toBe('https://payconiq.com/pay/2/5bdb1685b93d1c000bde96f2');
  });

  it.each([
    'https://example.com/',
    'hello',
    `https://payconiq.com/t/1/${PROFILE.replace('5', '6')}`,
    `https://payconiq.com/l/1/${PROFILE.replace('5', '6')}/till-1`,
    `https://payconiq.com/l/1/${PROFILE}/till-1?x=1`,
    `${TEMPLATE}?A=250&x=https://example.com`,
    `${TEMPLATE}?A=0`,
    'https://payconiq.com.example.com/pay/2/5bdb1685b93d1c000bde96f2',
    'https://payconiq.com/pay/2/5bdb1685b93d1c000bde96f2?returnUrl=https%3A%2F%2Fexample.com',
  ])('is not drawn of what is no code of the connection: %s', async (content) => {
    const { status, body, headers } = await server.call('GET', imagePath({ content }));
    expect([status, fieldsOf(body)]).toEqual([422, ['content']]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('refuses a style that there is not', async () => {
    const refused = async (query: Record<string, string>) =>
      fieldsOf((await server.call('GET', imagePath({ content: TEMPLATE, ...query }))).body);
    expect(await refused({ format: 'GIF', size: 'XXL', colour: 'red' })).toEqual([
      ...['format', 'size', 'colour'],
    ]);
    expect(await refused({ format: 'SVG', size: 'M' })).toEqual(['size']);
  });
});

describe('a line of a bank statement', () => {
  const ID = '5bdaf066b93d1c000bde9683';
  const movement = { providerReference: ID, payee: 'Merchant', reference: 'r-1', description: 'd' };
  const LINES: Readonly<Record<string, StatementLine>> = {
    'PCQ-32: one payment': { kind: 'payment', ...movement },
    'PCQ-33: a structured invoice': { kind: 'structured_invoice', communication: '424779266492' },
    "PCQ-34: one payment of a partner's sub-merchant": { kind: 'partner_payment', ...movement },
    'PCQ-35: a bulk payout': {
      kind: 'bulk_payout',
      businessDate: '2020-08-24',
      endToEndId: '5f44fd40812c8c49d8705541',
      bulkId: 'Bulk-11111',
      merchantId: ID,
    },
    'PCQ-36: a refund': { kind: 'refund', ...movement },
  };
  const read = (body: unknown) =>
    server.call('POST', '/v1/connections/shop/statement-lines', { key: 'reader', body });
  const written = (line: StatementLine): string => {
    const text = connections.get('shop')!.statements!.write(line);
    if ('violations' in text) throw new Error(JSON.stringify(text.violations));
    return text.value;
  };

  test.each(Object.entries(LINES))('%s is written and read back', async (_title, line) => {
    const account = line.kind === 'partner_payment' ? { account: 'partner' } : {};
    const { status, body } = await read({ text: written(line), ...account });
    expect([status, statementLine.parse(body)]).toEqual([200, line]);
  });

  test('PCQ-37: the end-to-end reference that the bank gave is told with it', async () => {
    const text = written({ kind: 'payment', ...movement });
    const { body } = await read({ text, endToEndId: '5f44fd40812c8c49d8705541' });
    expect(statementLine.parse(body).endToEndId).toBe('5f44fd40812c8c49d8705541');
    expect((await read({ text, endToEndId: 'NOTPROVIDED' })).body).not.toHaveProperty('endToEndId');
  });

  it.each(['Rent for March', `Payconiq ${ID}`, 'x'.repeat(141)])(
    'that is none of the provider is not found: %s',
    async (text) => {
      const { status, body } = await read({ text });
      expect([status, body]).toMatchObject([404, { code: 'not_found' }]);
    },
  );

  it('without a text is refused', async () => {
    const { status, body } = await read({ endToEndId: 'x' });
    expect([status, fieldsOf(body)]).toEqual([400, ['text']]);
  });

  it.each<[StatementLine, string[]]>([
    [
      { ...movement, kind: 'payment', providerReference: 'short', payee: 'x'.repeat(24) },
      ['providerReference', 'payee'],
    ],
    [{ ...movement, kind: 'refund', description: 'x'.repeat(32) }, ['description']],
    [{ kind: 'structured_invoice', communication: '1' }, ['communication']],
  ])('is not written where a column is wrong', (line, fields) => {
    const text = connections.get('shop')!.statements!.write(line);
    expect('violations' in text && text.violations.map(({ field }) => field)).toEqual(fields);
  });
});

test('holdfast connection code prints a code and writes its image', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-code-'));
  const out = join(folder, 'receipt.png');
  const program = new Command();
  connectionCommands(program, () => ({ ...defaultConfig(), apiKeys: [KEYS.reader] }));
  const print = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const words = `--kind receipt --cents 250 --reference r-1 --out ${out} --size M`.split(' ');
    await program.parseAsync(['connection', '--url', server.url, 'code', 'shop', ...words], {
      from: 'user',
    });
    const { content } = printableCode.parse(JSON.parse(String(print.mock.calls[0]?.[0])));
    expect(content).toBe(`${TEMPLATE}?A=250&R=r-1`);
    expect(scanned(await readFile(out))).toBe(content);
    const wrong = program.parseAsync(
      ['connection', '--url', server.url, 'code', 'shop', '--kind', 'banner'],
      { from: 'user' },
    );
    await expect(wrong).rejects.toThrow('kind must be one of sticker, receipt, invoice, topUp');
  } finally {
    print.mockRestore();
    await rm(folder, { recursive: true });
  }
});
