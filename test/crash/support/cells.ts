import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Fact } from '../../../src/domain/facts.js';
import { OPERATION_NAMES, type OperationName } from '../../../src/domain/ids.js';
import type { CaptureMode, Payment } from '../../../src/domain/payment.js';
import type { PaymentStatus } from '../../../src/domain/reducer.js';
import type { SandboxPayment } from '../../../src/sandbox/payconiq/payment.js';
import type { PayconiqSandbox } from '../../../src/sandbox/payconiq/sandbox.js';
import type { Store } from '../../../src/store/store.js';
import type { Call } from './api.js';
import { BRINKS, type Brink, type Gate } from './gates.js';
import { inTime, until } from './waiting.js';
import { CONNECTION_ID, type Stage, type World } from './world.js';

/** When something dies, seen from one operation. */
export const POINTS = ['before the intent', ...BRINKS, 'after bytes left'] as const;
export type Point = (typeof POINTS)[number];

interface Life {
  readonly captureMode: CaptureMode;
  /** Where the payment stands before the operation; undefined: nowhere yet. */
  readonly brink?: PaymentStatus;
  readonly ends: PaymentStatus;
  /** What must have moved at the provider's, each once. */
  readonly moves: readonly string[];
  /** What the sandbox calls the operation. */
  readonly target: 'create' | 'acknowledge' | 'void' | 'cancel';
}

const LIVES = {
  create: {
    captureMode: 'automatic',
    ends: 'captured',
    moves: ['debited', 'paid_out'],
    target: 'create',
  },
  capture: {
    captureMode: 'manual',
    brink: 'authorized',
    ends: 'captured',
    moves: ['debited', 'paid_out'],
    target: 'acknowledge',
  },
  void: {
    captureMode: 'manual',
    brink: 'authorized',
    ends: 'voided',
    moves: ['debited', 'credited_back'],
    target: 'void',
  },
  cancel: {
    captureMode: 'manual',
    brink: 'requires_action',
    ends: 'canceled',
    moves: [],
    target: 'cancel',
  },
} as const satisfies Record<OperationName, Life>;

/** What became of a request whose bytes had left. */
const EFFECTS = ['done', 'not done'] as const;

export interface Cell {
  readonly name: string;
  readonly operation: OperationName;
  readonly life: Life;
  readonly reference: string;
  /** `after bytes left` alone. */
  readonly effect?: (typeof EFFECTS)[number];
  /** Ours; known once its opening has been answered. */
  paymentId: string;
}

/** One cell for each operation; where bytes have left, for each thing that may have become of them. */
export function cellsAt(point: Point): readonly Cell[] {
  return OPERATION_NAMES.flatMap((operation) => {
    const cell = (): Cell => ({
      name: operation,
      operation,
      life: LIVES[operation],
      reference: randomUUID().slice(0, 35),
      paymentId: '',
    });
    if (point !== 'after bytes left') return [cell()];
    return EFFECTS.map((effect) => ({ ...cell(), name: `${operation}, ${effect}`, effect }));
  });
}

/** Once the provider may have acted, its notification can let an answer out before the blow. */
const UNTOUCHED: readonly Point[] = ['before the intent', 'after the intent'];

/** The blow did cut requests off, where nothing had happened yet; a slow machine may save some. */
export function expectCutOff(
  point: Point,
  answers: readonly PromiseSettledResult<unknown>[],
): void {
  if (!UNTOUCHED.includes(point)) return;
  expect(answers.map(({ status }) => status)).toContain('rejected');
}

export function cellNamesAt(point: Point): readonly string[] {
  return cellsAt(point).map(({ name }) => name);
}

export function gatesOf(cells: readonly Cell[], point: Point): readonly Gate[] {
  if (!isBrink(point)) return [];
  return cells.map(({ operation, reference }) => ({ brink: point, operation, reference }));
}

function isBrink(point: Point): point is Brink {
  return (BRINKS as readonly Point[]).includes(point);
}

/** The call that asks for the operation of the cell. */
export function callOf(cell: Cell): Call {
  const { operation, paymentId, reference } = cell;
  if (operation === 'create') return openingOf(cell);
  const body = operation === 'capture' ? {} : { reason: 'of the tests' };
  return { path: `/v1/payments/${paymentId}/${operation}`, body, key: `${operation}-${reference}` };
}

function openingOf({ life, reference }: Cell): Call {
  const body = {
    connectionId: CONNECTION_ID,
    amount: { minor: '1250', currency: 'EUR' },
    merchantReference: reference,
    captureMode: life.captureMode,
  };
  return { path: '/v1/payments', body, key: `open-${reference}` };
}

/** Leads the payments to where the operation is the next thing to ask for. */
export async function bringToBrink(
  world: World,
  stage: Stage,
  cells: readonly Cell[],
): Promise<void> {
  await Promise.all(cells.map((cell) => bringOneToBrink(world, stage, cell)));
}

async function bringOneToBrink({ sandbox }: World, stage: Stage, cell: Cell): Promise<void> {
  const { brink } = cell.life;
  if (brink === undefined) return;
  await open(stage, cell);
  await stage.api.until('waits for its payer', cell.paymentId, isWaitingForPayer);
  if (brink === 'authorized') pay(sandbox, cell);
  await stage.api.until(`is ${brink}`, cell.paymentId, ({ status }) => status === brink);
}

async function open({ api }: Stage, cell: Cell): Promise<void> {
  const { body } = await api.insist(openingOf(cell));
  cell.paymentId = (body as Payment).paymentId;
}

function pay(sandbox: PayconiqSandbox, { reference }: Cell, providerReference?: string): void {
  const created = sandbox.payments({ reference }).at(-1);
  sandbox.consumer.pay(providerReference ?? created?.paymentId ?? '');
}

export interface HeldRequests {
  /** Resolves when the provider has them all. */
  readonly arrived: Promise<void>;
  release(): void;
}

/** Has the provider keep its answers to the operations of these cells to itself. */
export function holdRequests({ sandbox }: World, cells: readonly Cell[]): HeldRequests {
  const handles = cells
    .filter(({ effect }) => effect !== undefined)
    .map(({ life, reference, effect }) =>
      sandbox.faults.next(
        life.target,
        { kind: 'slow', effect: effect === 'done' ? 'before' : 'never' },
        { reference },
      ),
    );
  return {
    arrived: Promise.all(handles.map(({ hit }) => hit)).then(() => undefined),
    release: () => handles.forEach((handle) => handle.release()),
  };
}

/** Resolves when all cells stand at the point. */
export async function allAt(
  point: Point,
  standing: {
    readonly cells: readonly Cell[];
    readonly held: HeldRequests;
    readonly reached: (gate: Gate) => Promise<void>;
  },
): Promise<void> {
  const { cells, held, reached } = standing;
  await inTime(`all operations ${point}`, held.arrived);
  const gates = gatesOf(cells, point);
  await inTime(`all operations ${point}`, Promise.all(gates.map((gate) => reached(gate))));
}

/** Repeats what was asked for until it is taken, and leads the payments to their ends. */
export async function finish(world: World, stage: Stage, cells: readonly Cell[]): Promise<void> {
  await Promise.all(cells.map((cell) => finishOne(world, stage, cell)));
}

async function finishOne(world: World, stage: Stage, cell: Cell): Promise<void> {
  const { body } = await stage.api.insist(callOf(cell));
  cell.paymentId = (body as Payment).paymentId;
  if (cell.operation === 'create') {
    const payable = await stage.api.until('waits for its payer', cell.paymentId, isWaitingForPayer);
    pay(world.sandbox, cell, payable.providerReference);
  }
  await stage.api.until('has ended', cell.paymentId, ({ ended }) => ended);
}

function isWaitingForPayer({ status }: Payment): boolean {
  return status === 'requires_action';
}

/** Resolves when nothing about the payments is under way any more, anywhere. */
export async function quiet(world: World, stage: Stage, cells: readonly Cell[]): Promise<void> {
  await Promise.all(cells.map((cell) => quietOne(world, stage, cell)));
}

async function quietOne({ sandbox }: World, stage: Stage, cell: Cell): Promise<void> {
  const { paymentId, reference } = cell;
  await until(`${cell.name} ${paymentId} is quiet`, async () => {
    const callbacks = sandbox.callbacks.list().filter((each) => each.reference === reference);
    const states = callbacks.map(({ state }) => state);
    if (!states.every((state) => state === 'delivered')) throw new Error(states.join());
    const ended = (await stage.api.get(paymentId))?.ended;
    const isOver = ended === true && (await stage.hasCompleted(paymentId));
    return isOver ? true : undefined;
  });
}

/** A payment as its workflow has it. */
export interface Truth {
  readonly payment: Payment;
  readonly facts: readonly Fact[];
}

/** The truth of all these cells. Wants a worker. */
export async function truthsOf(
  { client }: Stage,
  cells: readonly Cell[],
): Promise<ReadonlyMap<Cell, Truth>> {
  const truths = cells.map(({ paymentId }) =>
    until(`what ${paymentId} came to`, async () => {
      const payment = await client.get(paymentId);
      return payment && { payment, facts: await client.facts(paymentId) };
    }),
  );
  const told = await Promise.all(truths);
  return new Map(cells.map((cell, index) => [cell, told[index]!]));
}

/** What became of one cell, as everybody tells it. */
export interface Report {
  readonly life: Life;
  readonly truth: Truth;
  readonly stored: {
    readonly payment: Payment | undefined;
    readonly facts: readonly Fact[];
    readonly undelivered: readonly unknown[];
  };
  /** At the provider's. */
  readonly moved: readonly string[];
  readonly objects: readonly SandboxPayment[];
}

export type Reports = ReadonlyMap<string, Report>;

/** By the cells' names. */
export async function reportsOn(
  { sandbox }: World,
  store: Store,
  truths: ReadonlyMap<Cell, Truth>,
): Promise<Reports> {
  const reports = [...truths].map(async ([cell, truth]): Promise<[string, Report]> => {
    const { name, life, reference, paymentId } = cell;
    const loaded = await store.loadPayment(paymentId);
    const { notifications } = await store.inbox.list({ paymentId, limit: 100 });
    const stored = {
      payment: await store.getPayment(paymentId),
      facts: loaded?.facts ?? [],
      undelivered: notifications.filter(({ state }) => state !== 'delivered'),
    };
    const moved = sandbox.ledger.ofReference(reference).map(({ kind }) => kind);
    const objects = sandbox.payments({ reference });
    return [name, { life, truth, stored, moved, objects }];
  });
  return new Map(await Promise.all(reports));
}

/** The payment ended right, its money moved once, and the store has what the history has. */
export function expectRight(report: Report | undefined): void {
  const { life, truth, stored, moved, objects } = report!;
  const { payment, facts } = truth;
  expect(payment).toMatchObject({ status: life.ends, ended: true, flags: [] });
  expect(payment.unknownSince).toBeUndefined();
  expect(moved).toEqual(life.moves);
  const orphans = objects.filter(({ paymentId }) => paymentId !== payment.providerReference);
  expect(objects.length - orphans.length).toBe(1);
  for (const { status } of orphans) expect(['PENDING', 'EXPIRED', 'CANCELLED']).toContain(status);

  expect(statedBy(stored.facts)).toEqual(statedBy(facts));
  expect(stored.payment && withoutTaskTimes(stored.payment)).toEqual(withoutTaskTimes(payment));
  expect(stored.undelivered).toEqual([]);
}

/** Whether the operation has had its effect at the provider's. */
export function hasHappened(
  { sandbox }: World,
  { operation, life, reference }: Pick<Cell, 'operation' | 'life' | 'reference'>,
): boolean {
  const payment = sandbox.payments({ reference }).at(-1);
  if (operation === 'create') return payment !== undefined;
  if (operation === 'cancel') return payment?.status === 'CANCELLED';
  return sandbox.ledger.ofReference(reference).length === life.moves.length;
}

/** How often the provider has been asked to move money of these cells. */
export function countMoneyCalls({ sandbox }: World, cells: readonly Cell[]): number {
  const references = cells.map(({ reference }) => reference);
  const ids = cells.flatMap(({ reference }) =>
    sandbox.payments({ reference }).map(({ paymentId }) => paymentId),
  );
  const moving: readonly unknown[] = Object.values(LIVES).map(({ target }) => target);
  return sandbox
    .requests()
    .filter(({ operation }) => moving.includes(operation))
    .filter((each) => references.includes(each.reference!) || ids.includes(each.paymentId!)).length;
}

/**
 * When operations settled is the time of a workflow task, and a task that is lost after it has
 * recorded is done again, later.
 */
function withoutTaskTimes(payment: Payment): Payment {
  const operations = payment.operations.map(({ settledAt: _time, ...operation }) => operation);
  return { ...payment, operations };
}

/** What facts state; where we learned it, and when, may be either of two ways it came. */
function statedBy(facts: readonly Fact[]): readonly unknown[] {
  return facts
    .map(({ source: _source, occurredAt: _time, ...stated }) => stated)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
