import type { Anomaly } from './anomaly.js';
import { STATUS_OF_ERROR } from './answer.js';
import type { Answer } from './answer.js';
import { FORGERIES, OPERATIONS } from './faults.js';
import type {
  Fault,
  FaultBoard,
  FaultLimits,
  FaultTarget,
  Forgery,
  RequestFault,
} from './faults.js';
import type { LoyaltyMatch } from './loyalty.js';
import { SandboxStateError } from './payment-book.js';
import type { ConfirmOptions, ScanOptions } from './payment-book.js';
import type { DataDelay } from './payouts.js';
import { REFUND_COURSES, REFUND_STATUSES, REFUSALS } from './refund.js';
import type { RefundCourse, RefundRefusal } from './refund.js';
import type { PayconiqSandbox } from './sandbox.js';

export interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

type Body = Readonly<Record<string, unknown>>;
interface Call {
  readonly faults: FaultBoard;
  readonly id: string;
  readonly body: Body;
  readonly query: URLSearchParams;
}
type Control = (sandbox: PayconiqSandbox, call: Call) => unknown;

const TARGETS: readonly string[] = [...OPERATIONS, 'delete', 'any', 'callback'];
const ADVANCED = REFUND_STATUSES.filter((status) => status !== 'PENDING');
const FAULT_KINDS: Readonly<Record<Fault['kind'], 'request' | 'callback'>> = {
  reset_before_effect: 'request',
  reset_after_effect: 'request',
  error_before_effect: 'request',
  error_after_effect: 'request',
  slow: 'request',
  cut_body: 'request',
  garbage: 'request',
  throttle: 'request',
  answer: 'request',
  lose: 'callback',
  twice: 'callback',
  late: 'callback',
  reorder: 'callback',
  forge: 'callback',
};

class ControlError extends Error {
  override readonly name = 'ControlError';
}

const options = ({ body }: Call): ScanOptions & ConfirmOptions => body;

/** `{id}` is a payment's, a refund's, a callback's or a fault's. */
const CONTROLS: Readonly<Record<string, Control>> = {
  'GET /sandbox': () => Object.keys(CONTROLS),
  'GET /sandbox/payments': (sandbox, { query }) => {
    const reference = query.get('reference');
    return sandbox.payments(reference === null ? {} : { reference });
  },
  'GET /sandbox/ledger': (sandbox) => sandbox.ledger.entries(),
  'GET /sandbox/requests': (sandbox) => sandbox.requests(),
  'GET /sandbox/callbacks': (sandbox) => sandbox.callbacks.list(),
  'POST /sandbox/payments/{id}/scan': (sandbox, call) =>
    sandbox.consumer.scan(call.id, options(call)),
  'POST /sandbox/payments/{id}/confirm': (sandbox, call) =>
    sandbox.consumer.confirm(call.id, options(call)),
  'POST /sandbox/payments/{id}/pay': (sandbox, call) =>
    sandbox.consumer.pay(call.id, options(call)),
  'POST /sandbox/payments/{id}/cancel': (sandbox, { id }) => sandbox.consumer.cancel(id),
  'POST /sandbox/payments/{id}/settle-at-bank': (sandbox, { id }) =>
    sandbox.consumer.settleAtBank(id),
  'POST /sandbox/payments/{id}/fail-at-bank': (sandbox, { id }) => sandbox.consumer.failAtBank(id),
  'POST /sandbox/payments/{id}/fail': (sandbox, { id }) => sandbox.consumer.fail(id),
  'POST /sandbox/payments/{id}/forge-callback': async (sandbox, { id, body }) => {
    const how = oneOf(FORGERIES, body['how'], 'how') as Forgery;
    return { answer: await sandbox.callbacks.forge(id, { how }) };
  },
  'POST /sandbox/payments/{id}/loyalty': (sandbox, { id, body }) =>
    sandbox.loyalty.register(id, loyaltyMatch(body)),
  'POST /sandbox/payments/{id}/refund-at-portal': (sandbox, { id, body }) =>
    sandbox.refunds.makeAtPortal(id, number(body, 'amount')),
  'GET /sandbox/refunds': (sandbox, { query }) => {
    const paymentId = query.get('paymentId');
    return paymentId === null ? sandbox.refunds.list() : sandbox.refunds.ofPayment(paymentId);
  },
  'POST /sandbox/refunds/{id}/advance': (sandbox, { id, body }) => {
    const status = oneOf(ADVANCED, body['status'], 'status') as (typeof ADVANCED)[number];
    return sandbox.refunds.advance(id, status);
  },
  'POST /sandbox/refunds/{id}/reverse': (sandbox, { id }) => sandbox.refunds.reverse(id),
  'POST /sandbox/refunds/course': (sandbox, { body }) => {
    const course = oneOf(REFUND_COURSES, body['course'], 'course') as RefundCourse;
    sandbox.refunds.course(course);
    return { course };
  },
  'POST /sandbox/refunds/refuse': (sandbox, { body }) => {
    const code = oneOf(REFUSALS, body['code'], 'code') as RefundRefusal;
    sandbox.refunds.refuse(code, optionalText(body, 'paymentId'));
    return { code };
  },
  'POST /sandbox/refunds/accept': (sandbox, { body }) => {
    sandbox.refunds.accept(optionalText(body, 'paymentId'));
    return {};
  },
  'GET /sandbox/payouts': (sandbox) => sandbox.payouts.list(),
  'POST /sandbox/payouts/run': (sandbox, { body }) =>
    sandbox.payouts.run({ day: text(body, 'day') }),
  'POST /sandbox/payouts/data-delay': (sandbox, { body }) => {
    const { dataDelay } = body;
    sandbox.payouts.dataDelay(
      typeof dataDelay === 'number'
        ? dataDelay
        : (oneOf(['documented', 'none'], dataDelay, 'dataDelay') as DataDelay),
    );
    return { dataDelay };
  },
  'GET /sandbox/payouts/anomalies': (sandbox) => sandbox.payouts.anomalies(),
  'POST /sandbox/payouts/anomalies': (sandbox, { body }) => {
    sandbox.payouts.inject(body as unknown as Anomaly);
    return sandbox.payouts.anomalies();
  },
  'DELETE /sandbox/payouts/anomalies': (sandbox) => {
    sandbox.payouts.heal();
    return {};
  },
  'POST /sandbox/stickers/{id}/scan': (sandbox, { id }) => sandbox.consumer.scanSticker(id),
  'POST /sandbox/codes/scan': (sandbox, { body }) => {
    const { amount } = body;
    const chosen = amount === undefined ? {} : { amount: number(body, 'amount') };
    return sandbox.consumer.scanCode(text(body, 'content'), chosen);
  },
  'POST /sandbox/profile': (sandbox, { body }) => {
    const url = body['callbackUrl'] === null ? undefined : text(body, 'callbackUrl');
    sandbox.reportTo(url);
    return { callbackUrl: url ?? null };
  },
  'POST /sandbox/callbacks/{id}/repeat': async (sandbox, { id }) => ({
    answer: await sandbox.callbacks.repeat(Number(id)),
  }),
  'GET /sandbox/clock': (sandbox) => ({ now: new Date(sandbox.clock.now()).toISOString() }),
  'POST /sandbox/clock/advance': async (sandbox, { body }) => {
    await sandbox.clock.advance(number(body, 'ms'));
    return { now: new Date(sandbox.clock.now()).toISOString() };
  },
  'POST /sandbox/faults': (sandbox, { body }) => ({ id: armFault(sandbox, body) }),
  'POST /sandbox/faults/{id}/release': (_sandbox, { id, faults }) => {
    const fault = faults.find(Number(id));
    if (fault === undefined) throw new ControlError(`no fault ${id}`);
    fault.release();
    return { hits: fault.hits() };
  },
  'DELETE /sandbox/faults': (sandbox) => {
    sandbox.faults.clear();
    return {};
  },
  'POST /sandbox/refuse': async (sandbox, { body }) => {
    await sandbox.faults.refuse({ forMs: number(body, 'forMs') });
    return {};
  },
  'POST /sandbox/keys/rotate': async (sandbox) => ({ kid: await sandbox.rotateKey() }),
  'DELETE /sandbox/keys/old': (sandbox) => {
    sandbox.dropOldKeys();
    return {};
  },
};

/** Drives the sandbox from another process: `GET /sandbox` lists what there is. */
export async function control(
  { sandbox, faults }: { readonly sandbox: PayconiqSandbox; readonly faults: FaultBoard },
  request: ControlRequest,
): Promise<Answer> {
  const found = findControl(request);
  if (found === undefined) return { status: 404, body: { message: 'see GET /sandbox' } };
  try {
    const call = { faults, id: found.id, body: readBody(request.body), query: request.query };
    return { status: 200, body: (await found.control(sandbox, call)) as object };
  } catch (error) {
    if (error instanceof SandboxStateError)
      return { status: 409, body: { message: error.message } };
    if (error instanceof ControlError || error instanceof RangeError) {
      return { status: 400, body: { message: error.message } };
    }
    throw error;
  }
}

function findControl({
  method,
  path,
}: ControlRequest): { control: Control; id: string } | undefined {
  const exact = CONTROLS[`${method} ${path}`];
  if (exact !== undefined) return { control: exact, id: '' };
  const [, before = '', id = '', after = ''] =
    /^(\/sandbox\/[a-z]+)\/([^/]+)(\/[a-z-]+)$/.exec(path) ?? [];
  const found = CONTROLS[`${method} ${before}/{id}${after}`];
  return found === undefined ? undefined : { control: found, id: decodeURIComponent(id) };
}

/** `{ target, fault, times?, until?, where? }`; once unless `times` or `until` is given. */
function armFault(sandbox: PayconiqSandbox, body: Body): number {
  const target = oneOf(TARGETS, body['target'], 'target') as FaultTarget;
  const fault = (body['fault'] ?? {}) as RequestFault;
  const kind = oneOf(Object.keys(FAULT_KINDS), fault.kind, 'fault.kind') as Fault['kind'];
  if ((target === 'callback') !== (FAULT_KINDS[kind] === 'callback')) {
    throw new ControlError(`fault.kind: ${kind} is not for ${target}`);
  }
  if (fault.kind === 'answer') oneOf(Object.keys(STATUS_OF_ERROR), fault.code, 'fault.code');
  const { times, until, where } = body as FaultLimits;
  const isOnce = times === undefined && until === undefined;
  const limits = {
    ...(isOnce ? { times: 1 } : {}),
    ...(times === undefined ? {} : { times }),
    ...(until === undefined ? {} : { until }),
    ...(where === undefined ? {} : { where }),
  };
  return sandbox.faults.always(target, fault, limits).id;
}

function readBody(body: Buffer): Body {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Body;
  } catch {
    // Falls through to the one message for every body that is no JSON object.
  }
  throw new ControlError('the body is not a JSON object');
}

/** `{ url, userAccountId, merchantAccountId?, fields?, forgery? }` */
function loyaltyMatch(body: Body): LoyaltyMatch {
  const { merchantAccountId, fields, forgery } = body as Partial<LoyaltyMatch>;
  return {
    url: text(body, 'url'),
    userAccountId: text(body, 'userAccountId'),
    ...(merchantAccountId !== undefined && { merchantAccountId }),
    ...(fields !== undefined && { fields }),
    ...(forgery !== undefined && { forgery: oneOf(FORGERIES, forgery, 'forgery') as Forgery }),
  };
}

function number(body: Body, name: string): number {
  const value = body[name];
  if (typeof value === 'number') return value;
  throw new ControlError(`${name} must be a number`);
}

function text(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === 'string') return value;
  throw new ControlError(`${name} must be a text`);
}

function optionalText(body: Body, name: string): string | undefined {
  return body[name] === undefined ? undefined : text(body, name);
}

function oneOf(allowed: readonly string[], value: unknown, name: string): string {
  if (typeof value === 'string' && allowed.includes(value)) return value;
  throw new ControlError(`${name} must be one of ${allowed.join(', ')}`);
}
