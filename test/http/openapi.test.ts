import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import { openConnections } from '../../src/providers/connections.js';
import { clientWithoutTemporal, serve, storeThatIsDown, type TestServer } from './support.js';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly object[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Record<string, object> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly security: readonly object[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: object;
  };
}

let server: TestServer;
let document: Document;
let text: string;

beforeAll(async () => {
  const client = clientWithoutTemporal();
  const connections = openConnections({
    connections: [],
    timing: TIMING.fast,
    now: Date.now,
    notificationSecret: 'test',
  });
  server = await serve({ client, connections, store: await storeThatIsDown() });
  const answer = await server.call('GET', '/openapi.json', { key: 'none' });
  text = answer.text;
  document = answer.body as Document;
});

afterAll(() => server.close());

const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, each]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      each,
    ]),
  );

/** Of answers that are no JSON. */
const GOOD_TYPES: Readonly<Record<string, readonly string[]>> = {
  'GET /v1/connections/{connectionId}/codes/image': ['image/png', 'image/svg+xml'],
  'GET /v1/reconciliations/{runId}/report': ['application/json', 'text/csv', 'text/html'],
  'GET /v1/payouts/{connectionId}/{payoutReference}/lines': ['application/json', 'text/csv'],
};

describe('the OpenAPI document', () => {
  it('is of version 3.1, and lists every route of the API', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(operations().map(([route]) => route)).toEqual([
      'POST /v1/payments',
      'GET /v1/payments',
      'GET /v1/payments/{paymentId}',
      'GET /v1/payments/{paymentId}/refund-iban',
      'POST /v1/payments/{paymentId}/capture',
      'POST /v1/payments/{paymentId}/void',
      'POST /v1/payments/{paymentId}/cancel',
      'POST /v1/payments/{paymentId}/repairs',
      'POST /v1/payments/{paymentId}/refunds',
      'GET /v1/payments/{paymentId}/refunds',
      'GET /v1/refunds',
      'GET /v1/refunds/{refundId}',
      'POST /v1/refunds/{refundId}/cancel',
      'POST /v1/refunds/{refundId}/repairs',
      'POST /v1/reconciliations',
      'GET /v1/reconciliations',
      'GET /v1/reconciliations/{runId}',
      'GET /v1/reconciliations/{runId}/report',
      'GET /v1/payouts',
      'GET /v1/payouts/{connectionId}/{payoutReference}',
      'GET /v1/payouts/{connectionId}/{payoutReference}/lines',
      'GET /v1/breaks',
      'GET /v1/breaks/{breakId}',
      'POST /v1/breaks/{breakId}/resolve',
      'GET /v1/ledger',
      'GET /v1/payments/{paymentId}/payer',
      'DELETE /v1/payments/{paymentId}/payer',
      'GET /v1/connections',
      'GET /v1/connections/{connectionId}/provider-payments',
      'GET /v1/connections/{connectionId}/urls',
      'POST /v1/connections/{connectionId}/sweep',
      'POST /v1/connections/{connectionId}/codes',
      'GET /v1/connections/{connectionId}/codes/image',
      'POST /v1/connections/{connectionId}/statement-lines',
      'GET /v1/notifications',
      'GET /v1/notifications/refusals',
      'GET /v1/notifications/{notificationId}',
      'POST /v1/notifications/{notificationId}/replay',
      'GET /v1/loyalty-registrations',
      'POST /v1/loyalty-registrations/{registrationId}/done',
      'GET /connections/{connectionId}/jwks.json',
      'GET /health',
      'GET /ready',
    ]);
  });

  it('refers to shapes that there are, and has no others', () => {
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    const referred = new Set(references.map(([, name]) => name));
    expect(referred).toEqual(new Set(Object.keys(document.components.schemas)));
    expect([...text.matchAll(/"\$ref":"([^"]+)"/g)]).toHaveLength(references.length);
  });

  it('names each operation once, and each of its errors as problem details', () => {
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [route, { responses }] of operations()) {
      for (const [status, { content }] of Object.entries(responses)) {
        const good = GOOD_TYPES[route] ?? ['application/json'];
        const types = Number(status) < 300 ? good : ['application/problem+json'];
        const expected = status === '204' ? [] : types;
        expect(Object.keys(content ?? {}), `${route} ${status}`).toEqual(expected);
      }
    }
  });

  it('asks for a key everywhere but for health and public keys', () => {
    expect(document.components.securitySchemes).toEqual({
      apiKey: { type: 'http', scheme: 'bearer' },
    });
    expect(document.security).toEqual([{ apiKey: [] }]);
    const open = operations().filter(([, { security }]) => security?.length === 0);
    expect(open.map(([route]) => route)).toEqual([
      'GET /connections/{connectionId}/jwks.json',
      'GET /health',
      'GET /ready',
    ]);
  });

  it('describes fields, gives examples, and knows a body that may be left out', () => {
    expect(document.components.schemas['OpenPayment']).toMatchObject({
      properties: { merchantReference: { description: 'Sent to the provider.' } },
      examples: [{ connectionId: 'shop' }],
    });
    expect(document.components.schemas['Money']).toMatchObject({ type: 'object' });
    const capture = document.paths['/v1/payments/{paymentId}/capture']?.['post'];
    const opening = document.paths['/v1/payments']?.['post'];
    expect(capture?.requestBody?.required).toBe(false);
    expect(opening?.requestBody?.required).toBe(true);
  });
});

describe('the page of the API', () => {
  it('loads its program from here, and may reach nowhere else', async () => {
    const page = await server.call('GET', '/docs/', { key: 'none' });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<script src="js/scalar.js">');
    expect(page.text).not.toMatch(/https?:\/\//);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/https?:/);
    const program = await server.call('GET', '/docs/js/scalar.js', { key: 'none' });
    expect(program.headers.get('content-type')).toContain('javascript');
    expect(program.text.length).toBeGreaterThan(1_000_000);
  });
});
