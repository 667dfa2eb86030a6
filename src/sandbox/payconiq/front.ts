import type { IncomingMessage } from 'node:http';
import { peekHeader } from '../../transport/jws.js';
import type { Answer } from './answer.js';
import type { Api, ApiRequest } from './api.js';
import type { Scheduler } from './clock.js';
import type { ControlRequest } from './control.js';
import { exchange, send } from './exchange.js';
import type { FaultBoard } from './faults.js';
import type { RequestFacts, RequestLog } from './request-log.js';
import type { RequestHandler } from './server.js';
import { claim } from './signing-keys.js';

export interface FrontOptions {
  readonly clock: Scheduler;
  readonly api: Api;
  readonly faults: FaultBoard;
  readonly log: RequestLog;
  readonly control: (request: ControlRequest) => Promise<Answer>;
}

/** Sends each request where it belongs: the payments API, the control API, the QR service. */
export function createFront({ clock, api, faults, log, control }: FrontOptions): RequestHandler {
  return async (incoming, response, body) => {
    clock.settle();
    const request = readRequest(incoming, body);
    const { path } = request;
    if (path === '/sandbox' || path.startsWith('/sandbox/')) {
      return void send(response, await control(request));
    }
    if (path === '/qrcode') return void send(response, qrCode(request.query));
    const route = api.route(request);
    const hit = route && faults.takeRequest(route.operation, route.subject);
    const done = log.begin({
      at: clock.now(),
      method: request.method,
      path,
      query: request.target.slice(path.length + 1),
      operation: route?.operation,
      paymentId: route?.subject.paymentId,
      reference: route?.subject.reference,
      ...signedBy(request.signature),
      idempotencyKey: request.idempotencyKey,
      body: body.toString('utf8'),
      fault: hit?.fault.kind,
    });
    if (route === undefined) return done(send(response, NOT_FOUND));
    let status: number | undefined;
    try {
      status = await exchange({ route, response }, hit);
    } finally {
      done(status);
    }
  };
}

/** A wrong path is no missing payment: the answer has no error body of the API's. */
const NOT_FOUND: Answer = {
  status: 404,
  body: 'Not Found',
  headers: { 'content-type': 'text/plain' },
};

function readRequest(incoming: IncomingMessage, body: Buffer): ApiRequest {
  const target = incoming.url ?? '/';
  const [path = '/', query = ''] = target.split('?', 2);
  return {
    method: incoming.method ?? 'GET',
    path,
    target,
    query: new URLSearchParams(query),
    authorization: incoming.headers.authorization,
    signature: header(incoming, 'signature'),
    contentType: incoming.headers['content-type'],
    idempotencyKey: header(incoming, 'idempotency-key'),
    body,
  };
}

function header(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function signedBy(signature: string | undefined): Pick<RequestFacts, 'jti' | 'kid'> {
  const header = signature === undefined ? {} : peekHeader(signature);
  return { jti: textOf(header?.[claim('jti')]), kid: textOf(header?.['kid']) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Stands for the QR image: its content as text, for a person to read. */
function qrCode(query: URLSearchParams): Answer {
  const content = (query.get('c') ?? '').replace(/[^\w:/.?=&%-]/g, '').replaceAll('&', '&amp;');
  const label = `<text x="8" y="96" font-size="8" fill="#7B314A">${content}</text>`;
  const frame = '<rect width="100%" height="100%" fill="none" stroke="#FF4785" stroke-width="8"/>';
  const size = 'width="400" height="180"';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${frame}${label}</svg>`;
  return { status: 200, body: svg, headers: { 'content-type': 'image/svg+xml' } };
}
