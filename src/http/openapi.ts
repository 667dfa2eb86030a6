/** The API's own document at /openapi.json, and a page to read it at /docs. */
import swagger from '@fastify/swagger';
import scalar from '@scalar/fastify-api-reference';
import type { FastifyInstance } from 'fastify';
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod';
import { finished } from './openapi-document.js';
import { components } from './schemas.js';

const DESCRIPTION = `A durable payment orchestrator. Ask for a payment, and it is seen through at the
provider, whatever breaks on the way.

Every POST may be repeated with the same \`Idempotency-Key\`: it has one effect and one answer.
Errors are problem details (RFC 9457): \`code\` is for programs, \`violations\` name each field that
is wrong. A 202 says that no answer came in time, never that something failed.

A key has scopes: \`payments:read\`, \`payments:write\`, \`operations\` (notifications,
reconciliation),
\`personal_data\` (what is known of payers; with \`operations\`, loyalty registrations).`;

/** To be called before the routes. */
export async function documentApi(app: FastifyInstance, version: string): Promise<void> {
  const shapes = { schemaRegistry: components, zodToJsonConfig: { override: withoutTimePattern } };
  const documented = createJsonSchemaTransform(shapes);
  const withComponents = createJsonSchemaTransformObject(shapes);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Holdfast',
        version,
        description: DESCRIPTION,
        license: { name: 'Apache-2.0' },
      },
      tags: [
        { name: 'payments', description: 'Pay-ins, from being asked for to their end.' },
        { name: 'refunds', description: 'Captured money that goes back.' },
        {
          name: 'reconciliation',
          description: 'What providers report and pay out, compared with our records.',
        },
        { name: 'payers', description: 'What is known of those who pay, and forgetting it.' },
        { name: 'connections', description: 'Merchant accounts at providers.' },
        { name: 'notifications', description: 'What providers told us.' },
        { name: 'loyalty', description: 'Payments of members of our loyalty scheme.' },
        { name: 'system', description: 'Health.' },
      ],
      security: [{ apiKey: [] }],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (route) => {
      const { schema, url } = documented(route);
      return { schema: withResponseHeaders(schema, route.schema), url };
    },
    transformObject: (document) => finished(withComponents(document)),
  });
}

/** To be called after the routes. */
export async function serveDocument(app: FastifyInstance): Promise<void> {
  let document: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    return reply.type('application/json; charset=utf-8').send(document);
  });
  await app.register(async (docs) => {
    docs.addHook('onSend', (_request, reply, payload, done) => {
      void reply.header('content-security-policy', NOTHING_FROM_ELSEWHERE);
      done(null, payload);
    });
    await docs.register(scalar, {
      routePrefix: '/docs',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Holdfast API',
        withDefaultFonts: false,
        showDeveloperTools: 'never',
        telemetry: false,
        agent: { disabled: true },
        mcp: { disabled: true },
        hideClientButton: true,
      },
    });
  });
}

/** The page's program and styles are served from here; it needs and gets nothing of the network. */
const NOTHING_FROM_ELSEWHERE = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `format` says it in a word; the pattern would fill a screen. */
function withoutTimePattern({ jsonSchema }: { jsonSchema: { format?: string; pattern?: string } }) {
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
}

type Responses = Record<string, { headers?: unknown }>;

/** The transformation knows shapes only. */
function withResponseHeaders<Schema>(schema: Schema, routeSchema: unknown): Schema {
  const source = (routeSchema as { response?: Responses } | undefined)?.response ?? {};
  const target = (schema as { response?: Responses } | undefined)?.response ?? {};
  for (const [status, response] of Object.entries(target)) {
    const { headers } = source[status] ?? {};
    if (headers !== undefined) response.headers = headers;
  }
  return schema;
}
