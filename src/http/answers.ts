/** Answers as bytes, so that what is kept for a repeat is what was sent. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemBody, problemHeaders, problemOf, problemStatus } from './problems.js';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ApiAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The answer to an error. What is our own fault is logged, without the request's contents. */
export function errorAnswer(error: unknown, request: FastifyRequest): ApiAnswer {
  const problem = problemOf(error);
  if (problem.code === 'internal') request.log.error({ error: described(error) }, 'request failed');
  return {
    status: problemStatus(problem.code),
    headers: { 'content-type': 'application/problem+json', ...problemHeaders(problem) },
    body: Buffer.from(JSON.stringify(problemBody(problem, instanceOf(request)))),
  };
}

export function sendAnswer(
  reply: FastifyReply,
  { status, headers, body }: ApiAnswer,
): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}

/** Only the API's own paths are repeated: those of notifications carry a secret. */
function instanceOf({ url }: FastifyRequest): string | undefined {
  return url.startsWith('/v1/') ? pathOf(url) : undefined;
}

export function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

/** An error for our log: its kind, words and place. */
export function described(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, message, stack } = error;
  const code: unknown = 'code' in error ? error.code : undefined;
  return { type: name, ...(typeof code === 'string' && { code }), message, stack };
}
