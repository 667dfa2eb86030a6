/** The API as the command line calls it: the server of this configuration, with its own key. */
import { randomToken } from '../transport/digest.js';
import { localUrl, type Config } from '../config.js';
import type { Payment } from '../domain/payment.js';

export interface ApiTarget {
  readonly url: string;
  readonly key: string | undefined;
}

/** The server that is configured here, unless another URL is named. */
export function apiTarget({ http, apiKeys }: Config, url?: string): ApiTarget {
  const [key] = apiKeys.toSorted((a, b) => b.scopes.length - a.scopes.length);
  return { url: url ?? localUrl(http), key: key?.secret };
}

type Method = 'GET' | 'POST' | 'DELETE';

/**
 * Undefined where the answer has no body.
 *
 * @throws Error in words, from the API's problem or because no server answers
 */
export async function callApi<Result>(
  target: ApiTarget,
  method: Method,
  path: string,
  body?: object,
): Promise<Result> {
  const text = await (await send(target, method, path, body)).text();
  return (text === '' ? undefined : JSON.parse(text)) as Result;
}

/** What is no JSON. Throws as `callApi`. */
export async function fetchBytes(target: ApiTarget, path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await send(target, 'GET', path)).arrayBuffer());
}

async function send(
  target: ApiTarget,
  method: Method,
  path: string,
  body?: object,
): Promise<Response> {
  const response = await fetch(new URL(path, target.url), {
    method,
    headers: {
      ...(target.key !== undefined && { authorization: `Bearer ${target.key}` }),
      ...(body && { 'content-type': 'application/json', 'idempotency-key': randomToken(16) }),
    },
    ...(body && { body: JSON.stringify(body) }),
  }).catch((cause: unknown) => {
    throw new Error(`no server answers at ${target.url}; is \`holdfast server\` running?`, {
      cause,
    });
  });
  if (response.ok) return response;
  const text = await response.text();
  const problem = (text === '' ? undefined : JSON.parse(text)) as Refusal;
  throw new Error(refusalIn(problem) ?? `HTTP ${response.status}`);
}

type Refusal = { readonly detail?: string; readonly title?: string } | undefined;

function refusalIn(problem: Refusal): string | undefined {
  return problem?.detail ?? problem?.title;
}

/** What a command answers with: the payment, or only that it was taken. */
export type Taken = Partial<Payment> & Pick<Payment, 'paymentId'>;
