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

/**
 * Undefined where the answer has no body.
 *
 * @throws Error in words, from the API's problem or because no server answers
 */
export async function callApi<Result>(
  target: ApiTarget,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Result> {
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
  const text = await response.text();
  const answer = (text === '' ? undefined : JSON.parse(text)) as Result & Refusal;
  if (!response.ok) throw new Error(refusalIn(answer) ?? `HTTP ${response.status}`);
  return answer;
}

type Refusal = { readonly detail?: string; readonly title?: string } | undefined;

function refusalIn(problem: Refusal): string | undefined {
  return problem?.detail ?? problem?.title;
}

/** What a command answers with: the payment, or only that it was taken. */
export type Taken = Partial<Payment> & Pick<Payment, 'paymentId'>;
