import type { ServerResponse } from 'node:http';
import { encodeAnswer, errorAnswer, failureAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { Route } from './api.js';
import type { Hit, RequestFault } from './faults.js';

/** One request with its way to answer, well or badly. */
export interface Exchange {
  readonly route: Route;
  readonly response: ServerResponse;
}

/**
 * Performs a request as a fault would have it.
 *
 * @returns the status that was sent; undefined when no whole answer was
 */
export async function exchange(
  { route, response }: Exchange,
  hit: Hit<RequestFault> | undefined,
): Promise<number | undefined> {
  if (hit === undefined) return send(response, await route.perform());
  const { fault, held } = hit;
  switch (fault.kind) {
    case 'reset_before_effect':
      return reset(response);
    case 'reset_after_effect':
      await route.perform();
      return reset(response);
    case 'error_before_effect':
      return send(response, failureAnswer(fault.status ?? 500));
    case 'error_after_effect':
      await route.perform();
      return send(response, await route.sign(failureAnswer(fault.status ?? 500)));
    case 'slow':
      return slowly(
        { route, response },
        { effect: fault.effect ?? 'before', wait: () => held(fault.ms) },
      );
    case 'cut_body':
      return cut(response, await route.perform());
    case 'garbage':
      return send(response, garbled(fault.effect === 'never' ? undefined : await route.perform()));
    case 'throttle':
      return send(response, await route.perform(TOO_MANY));
    case 'answer':
      return send(
        response,
        await route.perform(errorAnswer(fault.code, fault.message ?? fault.code)),
      );
  }
}

const TOO_MANY: Answer = {
  status: 429,
  body: 'Too Many Requests',
  headers: { 'content-type': 'text/plain' },
};

async function slowly(
  { route, response }: Exchange,
  {
    effect,
    wait,
  }: { readonly effect: 'before' | 'after' | 'never'; readonly wait: () => Promise<void> },
): Promise<number | undefined> {
  if (effect === 'before') {
    const answer = await route.perform();
    await wait();
    return send(response, answer);
  }
  await wait();
  return effect === 'never' ? reset(response) : send(response, await route.perform());
}

export function send(response: ServerResponse, answer: Answer): number | undefined {
  if (response.destroyed) return undefined;
  const { body, headers } = encodeAnswer(answer);
  const length = answer.status === 204 ? {} : { 'content-length': String(body.length) };
  response.writeHead(answer.status, { ...headers, ...length }).end(body);
  return answer.status;
}

/** A success that does not parse: what a proxy in between might say. */
function garbled(answer: Answer | undefined): Answer {
  const status = answer?.status ?? 200;
  const body = '<html><body>It works!</body></html>';
  return { status: status === 204 ? 200 : status, body, headers: { 'content-type': 'text/html' } };
}

function reset(response: ServerResponse): undefined {
  response.socket?.resetAndDestroy();
}

function cut(response: ServerResponse, answer: Answer): undefined {
  const { socket } = response;
  const { body, headers } = encodeAnswer(answer);
  const end = (): void => void socket?.destroy();
  if (body.length === 0) {
    socket?.write(`HTTP/1.1 ${answer.status} No Con`, end);
    return;
  }
  response.writeHead(answer.status, { ...headers, 'content-length': String(body.length) });
  response.write(body.subarray(0, Math.floor(body.length / 2)), end);
}
