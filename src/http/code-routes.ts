/** What merchants print, and what banks print of payments: pure, nothing is sent or stored. */
import { z } from 'zod';
import { HoldfastError } from '../client/errors.js';
import { violationWords, type Checked } from '../domain/problem.js';
import type { Connections } from '../providers/connections.js';
import type { Connection } from '../providers/provider.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import type { Api, Context } from './api.js';
import {
  askedCode,
  codeImageQuery,
  printableCode,
  statementEntry,
  statementLine,
} from './code-schemas.js';
import { EVERY_ROUTE, responses } from './documented.js';
import { connectionParams } from './parameters.js';
import { present } from '../domain/present.js';
import { ApiError } from './problems.js';
import { connectionOf } from './connection-routes.js';

const GUARDED = { config: { scope: 'payments:read' } } as const;
const REFUSALS = [...EVERY_ROUTE, 404, 422] as const;

/** The same content and style always give the same image. */
const CACHED = { 'cache-control': 'private, max-age=86400, immutable' };

const drawn = z.string().meta({ format: 'binary' });
const IMAGE: ReturnType<typeof responses> = {
  ...responses({}, REFUSALS),
  200: {
    description: 'The image.',
    content: { 'image/png': { schema: drawn }, 'image/svg+xml': { schema: drawn } },
  },
};

export function codeRoutes(app: Api, { connections }: Context): void {
  app.route({
    ...GUARDED,
    method: 'POST',
    url: '/connections/:connectionId/codes',
    schema: {
      operationId: 'makeCode',
      tags: ['connections'],
      summary: 'Make a code to be printed',
      description: 'Nothing is sent or stored: a payment begins when somebody scans it.',
      params: connectionParams,
      body: askedCode,
      response: responses({ 200: ['The code.', printableCode] }, REFUSALS),
    },
    handler: ({ params, body }, reply) => {
      const codes = offeredBy(connections, params.connectionId, 'codes');
      return sendAnswer(reply, jsonAnswer(200, valueOf(codes.build(body))));
    },
  });
  app.route({
    ...GUARDED,
    method: 'GET',
    url: '/connections/:connectionId/codes/image',
    schema: {
      operationId: 'drawCode',
      tags: ['connections'],
      summary: 'Draw a code',
      description: 'Only what a code of this connection says is drawn.',
      params: connectionParams,
      querystring: codeImageQuery,
      response: IMAGE,
    },
    handler: ({ params, query: { content, ...style } }, reply) => {
      const codes = offeredBy(connections, params.connectionId, 'codes');
      const { bytes, contentType } = valueOf(codes.image(content, present(style)));
      const headers = { ...CACHED, 'content-type': contentType };
      return sendAnswer(reply, { status: 200, headers, body: Buffer.from(bytes) });
    },
  });
  app.route({
    ...GUARDED,
    method: 'POST',
    url: '/connections/:connectionId/statement-lines',
    schema: {
      operationId: 'readStatementLine',
      tags: ['connections'],
      summary: 'Read a line of a bank statement',
      description: 'Not found where it is none of the provider, or not readable without guessing.',
      params: connectionParams,
      body: statementEntry,
      response: responses({ 200: ['What it says.', statementLine] }, REFUSALS),
    },
    handler: ({ params, body }, reply) => {
      const statements = offeredBy(connections, params.connectionId, 'statements');
      const line = statements.read(present(body));
      if (line) return sendAnswer(reply, jsonAnswer(200, line));
      throw new HoldfastError({ code: 'not_found', message: 'this is no line of the provider' });
    },
  });
}

const ABILITIES = { codes: 'print codes', statements: 'read statements' } as const;

function offeredBy<Name extends keyof typeof ABILITIES>(
  connections: Connections,
  connectionId: string,
  name: Name,
): NonNullable<Connection[Name]> {
  const capability = connectionOf(connections, connectionId)[name];
  if (capability) return capability;
  const message = `connection ${connectionId} cannot ${ABILITIES[name]}`;
  throw new HoldfastError({ code: 'unsupported', message });
}

function valueOf<Value>(made: Checked<Value>): Value {
  if ('value' in made) return made.value;
  const { violations } = made;
  const detail = violationWords(violations);
  throw new ApiError({ code: 'unusable_code', detail, violations });
}
