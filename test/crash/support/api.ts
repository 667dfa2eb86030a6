import { request as httpRequest } from 'node:http';
import type { Payment } from '../../../src/domain/payment.js';
import { deferred, until } from './waiting.js';

/** A call of our API that may be repeated: the same key, the same payment. */
export interface Call {
  readonly path: string;
  readonly body: object;
  readonly key: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface SentCall {
  /** Resolves when the request has been handed to the network. */
  readonly sent: Promise<void>;
  /** Rejects when the connection breaks before a whole answer. */
  readonly answer: Promise<ApiAnswer>;
}

/** A backend that uses our HTTP API as it should: what was not answered is repeated under its key. */
export interface Api {
  begin(call: Call): SentCall;
  /** Repeats the call until it is taken: 200, 201, or for an opening 202. */
  insist(call: Call): Promise<ApiAnswer>;
  /** Undefined while there is nobody to tell. */
  get(paymentId: string): Promise<Payment | undefined>;
  /** The payment as soon as it is as wanted. */
  until(what: string, paymentId: string, isWanted: (payment: Payment) => boolean): Promise<Payment>;
}

export function apiAt(baseUrl: string): Api {
  const get: Api['get'] = async (paymentId) => {
    const { answer } = begin(baseUrl, { method: 'GET', path: `/v1/payments/${paymentId}` });
    const { status, body } = await answer;
    return status === 200 ? (body as Payment) : undefined;
  };
  const post = ({ path, body, key }: Call): SentCall =>
    begin(baseUrl, { method: 'POST', path, body, headers: { 'idempotency-key': key } });
  return {
    begin: post,
    insist: (call) =>
      until(`an answer to ${call.path} (${call.key})`, async () => {
        const answer = await post(call).answer;
        if (isTaken(call, answer)) return answer;
        if (mayBeRepeated(answer)) throw new Error(`answered ${JSON.stringify(answer)}`);
        return answer;
      }).then((answer) => {
        if (isTaken(call, answer)) return answer;
        throw new Error(`${call.path} was refused: ${JSON.stringify(answer)}`);
      }),
    get,
    until: (what, paymentId, isWanted) =>
      until(`${paymentId} ${what}`, async () => {
        const payment = await get(paymentId);
        if (payment && isWanted(payment)) return payment;
        throw new Error(JSON.stringify(payment));
      }),
  };
}

/** 202 to an opening: begun for certain. To a command: perhaps, so it is given again. */
function isTaken({ path }: Call, { status }: ApiAnswer): boolean {
  return status === 200 || status === 201 || (status === 202 && path === '/v1/payments');
}

function mayBeRepeated({ status, body }: ApiAnswer): boolean {
  const { code } = body as { code?: string };
  return status === 202 || status >= 500 || code === 'request_in_progress';
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

function begin(baseUrl: string, { method, path, body, headers }: Request): SentCall {
  const sent = deferred();
  const answer = new Promise<ApiAnswer>((resolve, reject) => {
    const request = httpRequest(
      new URL(path, baseUrl),
      { method, agent: false, headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        response
          .toArray()
          .then((chunks: Buffer[]) => {
            const text = Buffer.concat(chunks).toString('utf8');
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) });
          })
          .catch(reject);
      },
    );
    request.once('finish', () => sent.resolve());
    request.once('error', reject);
    request.end(body && JSON.stringify(body));
  });
  answer.catch(() => undefined);
  return { sent: sent.promise, answer };
}
