import type { AnyErrorCode } from './answer.js';
import type { Cancel, Scheduler } from './clock.js';
import type { PaymentStatus } from './payment.js';

/** DELETE is `void` while the payment awaits acknowledgement, `cancel` otherwise. */
export const OPERATIONS = [
  'create',
  'get',
  'refund_iban',
  'search',
  'acknowledge',
  'cancel',
  'void',
  'refund',
  'get_refund',
  'payouts',
  'payout_payments',
  'payout_refunds',
  'certificates',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** `delete`: cancel or void. `any`: every operation, but no callback. */
export type RequestTarget = Operation | 'delete' | 'any';

/** What goes wrong with one request. "Effect" is what the operation does. */
export type RequestFault =
  /** The connection is reset after the request was read; nothing was done. */
  | { readonly kind: 'reset_before_effect' }
  /** It is done; the connection is reset instead of an answer. */
  | { readonly kind: 'reset_after_effect' }
  /** Nothing was done. Status 500 unless told. */
  | { readonly kind: 'error_before_effect'; readonly status?: number }
  /** It is done; the answer says otherwise. Status 500 unless told. */
  | { readonly kind: 'error_after_effect'; readonly status?: number }
  /**
   * The answer is held until released, or for `ms` of the sandbox's clock. It is done `before` the
   * wait (default), or `after` it, even when the caller has gone; or `never`, and then the
   * connection is reset.
   */
  | { readonly kind: 'slow'; readonly effect?: 'before' | 'after' | 'never'; readonly ms?: number }
  /** It is done; the answer ends in the middle of its body (a 204: of its status line). */
  | { readonly kind: 'cut_body' }
  /** A success status with a body that does not parse. It is done, unless `effect` is `never`. */
  | { readonly kind: 'garbage'; readonly effect?: 'before' | 'never' }
  /** 429; nothing was done. */
  | { readonly kind: 'throttle' }
  /** A documented refusal; nothing was done. The status follows from the code. */
  | { readonly kind: 'answer'; readonly code: AnyErrorCode; readonly message?: string };

export const FORGERIES = [
  'wrong_key',
  'unknown_kid',
  'alg_none',
  'alg_hs256',
  'alg_rs256',
  'altered_body',
  'missing_crit',
  'wrong_path',
  'wrong_subject',
  'wrong_issuer',
  'no_signature',
] as const;
export type Forgery = (typeof FORGERIES)[number];

/** What goes wrong with one callback, at its first attempt. */
export type CallbackFault =
  /** Never sent: this attempt only, or with all its repeats (default). */
  | { readonly kind: 'lose'; readonly scope?: 'attempt' | 'delivery' }
  /** Sent, and sent again byte for byte. */
  | { readonly kind: 'twice' }
  /** Held until released, or for `ms` of the sandbox's clock. */
  | { readonly kind: 'late'; readonly ms?: number }
  /** Held until the payment's next callback has been answered. */
  | { readonly kind: 'reorder' }
  /** A forged one is sent instead, once; or before the genuine one. */
  | { readonly kind: 'forge'; readonly how: Forgery; readonly genuine?: 'also' };

export type Fault = RequestFault | CallbackFault;
export type FaultTarget = RequestTarget | 'callback';
export type FaultFor<T extends FaultTarget> = T extends 'callback' ? CallbackFault : RequestFault;

/** What a fault may be tied to; all given properties must agree. */
export interface FaultSubject {
  readonly paymentId?: string | undefined;
  /** The merchant's reference; for create and search, that of the request. */
  readonly reference?: string | undefined;
  /** Of the payment as it stands when the request or callback is begun. */
  readonly status?: PaymentStatus | undefined;
  /** From 0, of a page of payouts, their payments or their refunds. */
  readonly page?: number | undefined;
}

export interface FaultLimits {
  /** How many requests it hits. */
  readonly times?: number;
  /** Until when, by the sandbox's clock. */
  readonly until?: number;
  readonly where?: FaultSubject;
}

export interface FaultHandle {
  readonly id: number;
  /** How often it hit so far. */
  hits(): number;
  /** Resolves at the first hit: what is then held stays held until `release`. */
  readonly hit: Promise<void>;
  /** Lets go everything this fault holds or would hold. */
  release(): void;
  /** Takes the fault away; what it holds is let go. */
  remove(): void;
}

export interface SandboxFaults {
  /** Hits the next matching request or callback, once. First armed, first hit. */
  next<T extends FaultTarget>(target: T, fault: FaultFor<T>, where?: FaultSubject): FaultHandle;
  /** Hits every matching one, within the limits. */
  always<T extends FaultTarget>(target: T, fault: FaultFor<T>, limits?: FaultLimits): FaultHandle;
  /** Takes all faults away and lets go everything held. Does not end `refuse`. */
  clear(): void;
  /**
   * Stops listening: new connections are refused (ECONNREFUSED) and idle ones closed, until
   * `accept`, or for `forMs` of the sandbox's clock. The control API is away too.
   */
  refuse(options?: { readonly forMs?: number }): Promise<void>;
  /** Listens again, at the same port. */
  accept(): Promise<void>;
}

/** A fault that has hit: what it is and how long it holds. */
export interface Hit<F extends Fault = Fault> {
  readonly fault: F;
  /** Resolves when released, or once `ms` of the sandbox's clock have passed. */
  held(ms?: number): Promise<void>;
}

export interface FaultBoard extends Omit<SandboxFaults, 'refuse' | 'accept'> {
  takeRequest(operation: Operation, subject: FaultSubject): Hit<RequestFault> | undefined;
  takeCallback(subject: FaultSubject): Hit<CallbackFault> | undefined;
  find(id: number): FaultHandle | undefined;
}

interface Armed {
  readonly target: FaultTarget;
  readonly fault: Fault;
  readonly limits: FaultLimits;
  readonly handle: FaultHandle;
  remaining: number;
  hits: number;
  announce: () => void;
  readonly released: Promise<void>;
}

export function createFaultBoard(clock: Scheduler): FaultBoard {
  const armed: Armed[] = [];
  const handles = new Map<number, FaultHandle>();

  const disarm = (entry: Armed): void => {
    const index = armed.indexOf(entry);
    if (index !== -1) armed.splice(index, 1);
  };

  const arm = (target: FaultTarget, fault: Fault, limits: FaultLimits): FaultHandle => {
    const gate = signal();
    const firstHit = signal();
    const handle: FaultHandle = {
      id: handles.size + 1,
      hits: () => entry.hits,
      hit: firstHit.promise,
      release: gate.resolve,
      remove: () => {
        disarm(entry);
        gate.resolve();
      },
    };
    const entry: Armed = {
      target,
      fault,
      limits,
      handle,
      remaining: limits.times ?? Infinity,
      hits: 0,
      announce: firstHit.resolve,
      released: gate.promise,
    };
    armed.push(entry);
    handles.set(handle.id, handle);
    return handle;
  };

  const isLive = ({ limits: { until }, remaining }: Armed): boolean =>
    remaining > 0 && (until === undefined || clock.now() < until);

  const take = (targets: readonly FaultTarget[], subject: FaultSubject): Hit | undefined => {
    const entry = armed.find(
      (one) => isLive(one) && targets.includes(one.target) && agrees(one.limits.where, subject),
    );
    if (entry === undefined) return undefined;
    entry.hits += 1;
    entry.remaining -= 1;
    if (entry.remaining === 0) disarm(entry);
    entry.announce();
    return { fault: entry.fault, held: (ms) => heldUntil(clock, entry.released, ms) };
  };

  return {
    next: (target, fault, where = {}) => arm(target, fault, { times: 1, where }),
    always: (target, fault, limits = {}) => arm(target, fault, limits),
    clear: () => handles.forEach((handle) => handle.remove()),
    takeRequest: (operation, subject) => {
      const isDelete = operation === 'cancel' || operation === 'void';
      const targets: RequestTarget[] = [operation, ...(isDelete ? ['delete' as const] : []), 'any'];
      return take(targets, subject) as Hit<RequestFault> | undefined;
    },
    takeCallback: (subject) => take(['callback'], subject) as Hit<CallbackFault> | undefined,
    find: (id) => handles.get(id),
  };
}

function agrees(where: FaultSubject = {}, subject: FaultSubject): boolean {
  const names = Object.keys(where) as (keyof FaultSubject)[];
  return names.every((name) => where[name] === undefined || where[name] === subject[name]);
}

async function heldUntil(clock: Scheduler, released: Promise<void>, ms?: number): Promise<void> {
  if (ms === undefined) return released;
  let cancel: Cancel = () => undefined;
  const passed = new Promise<void>((resolve) => (cancel = clock.at(clock.now() + ms, resolve)));
  await Promise.race([released, passed]);
  cancel();
}

function signal(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
