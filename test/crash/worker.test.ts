import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TIMING } from '../../src/domain/timing.js';
import type { StoreSettings } from '../../src/store/store.js';
import { createDatabase, sharedPostgres, type TestDatabase } from '../support/postgres.js';
import {
  POINTS,
  allAt,
  bringToBrink,
  callOf,
  cellNamesAt,
  cellsAt,
  countMoneyCalls,
  expectRight,
  finish,
  gatesOf,
  holdRequests,
  quiet,
  reportsOn,
  truthsOf,
  type Cell,
  type Point,
  type Reports,
} from './support/cells.js';
import type { HoldfastProcess } from './support/process.js';
import { playRounds, type Rounds } from './support/rounds.js';
import { inTime, until } from './support/waiting.js';
import { openWorld, type Stage, type World } from './support/world.js';

/**
 * A worker dies (SIGKILL), or is stopped and wakes when all is over (SIGSTOP, SIGCONT), at every
 * point of every operation; another worker goes on. Each round is one worker that is struck in the
 * midst of all operations at once.
 */
const BLOWS = ['killed', 'stopped'] as const;
type Blow = (typeof BLOWS)[number];

interface Round {
  readonly reports: Reports;
  /** Of a worker that was stopped. */
  readonly afterwards?: Afterwards;
}

/** What a worker has done that woke when everything was over. */
interface Afterwards {
  readonly moneyCalls: number;
  /** What its sends came to that it had been about to make, by operation. */
  readonly outcomes: ReadonlyMap<string, unknown>;
}

const AT_A_TIME = 4;
const TEST_TIMEOUT_MS = 180_000;
const { sendQueueLimitMs, activityMarginMs } = TIMING.fast;
/** After its intent, no operation may be sent any more past this. */
const WRITE_WITHIN_MS = sendQueueLimitMs + activityMarginMs;

const postgres = await sharedPostgres();

describe.runIf(postgres !== undefined)('a worker', () => {
  let world: World;
  let database: TestDatabase;
  let rounds: Rounds<Round>;

  beforeAll(async () => {
    world = await openWorld();
    database = await createDatabase(postgres!.url);
    const stage = await world.openStage(storeSettings());
    await (await stage.foundation()).store.migrate();
    const all = BLOWS.flatMap((blow) =>
      POINTS.map((point) => [`${blow} ${point}`, () => play(blow, point)] as const),
    );
    rounds = playRounds(AT_A_TIME, Object.fromEntries(all));
  });
  afterAll(async () => {
    await rounds?.settled();
    await world?.close();
    await database?.drop();
  });

  const storeSettings = (): StoreSettings => ({ kind: 'postgres', url: database.url });

  async function play(blow: Blow, point: Point): Promise<Round> {
    const cells = cellsAt(point);
    const stage = await world.openStage(storeSettings());
    await stage.serve();
    const victim = await stage.spawn(['worker'], gatesOf(cells, point));
    await bringToBrink(world, stage, cells);

    const struckAtMs = await strike(victim, { blow, point, stage, cells });
    await stage.work();
    await finish(world, stage, cells);
    await quiet(world, stage, cells);
    const afterwards =
      blow === 'stopped' ? await wake(victim, { cells, point, struckAtMs }) : undefined;
    await quiet(world, stage, cells);
    const { store } = await stage.foundation();
    const reports = await reportsOn(world, store, await truthsOf(stage, cells));
    await stage.close();
    return { reports, ...(afterwards && { afterwards }) };
  }

  interface Scene {
    readonly blow: Blow;
    readonly point: Point;
    readonly stage: Stage;
    readonly cells: readonly Cell[];
  }

  /** Asks for all operations, and strikes the worker when they are at the point. Returns when. */
  async function strike(victim: HoldfastProcess, scene: Scene): Promise<number> {
    const { blow, point, stage, cells } = scene;
    const held = holdRequests(world, cells);
    const ask = (): void => cells.forEach((cell) => void stage.api.begin(callOf(cell)));
    if (point !== 'before the intent') {
      ask();
      await allAt(point, { cells, held, reached: victim.reached });
    }
    const struckAtMs = Date.now();
    if (blow === 'killed') await victim.kill();
    else victim.stop();
    if (point === 'before the intent') ask();
    held.release();
    return struckAtMs;
  }

  /** Wakes it when nothing of what it holds may be sent any more, and lets it do what it will. */
  async function wake(
    victim: HoldfastProcess,
    from: { readonly cells: readonly Cell[]; readonly point: Point; readonly struckAtMs: number },
  ): Promise<Afterwards> {
    const { cells, point, struckAtMs } = from;
    const callsBefore = countMoneyCalls(world, cells);
    const isLate = (): true | undefined => Date.now() > struckAtMs + WRITE_WITHIN_MS || undefined;
    await until('the time limit for sending has passed', isLate);
    victim.wake();
    victim.letOn();
    const outcomes = new Map<string, unknown>();
    for (const gate of gatesOf(cells, point)) {
      if (gate.brink !== 'after the intent') continue;
      outcomes.set(gate.operation, await inTime('a late send', victim.answered(gate)));
    }
    await victim.end();
    return { moneyCalls: countMoneyCalls(world, cells) - callsBefore, outcomes };
  }

  describe.each(BLOWS)('%s', (blow) => {
    describe.each(POINTS)('%s of', (point) => {
      test.each(cellNamesAt(point))(
        '%s: the payment ends right, its money moves once, the store has its history',
        async (name) => {
          const { reports } = await rounds.of(`${blow} ${point}`);
          expectRight(reports.get(name));
        },
        TEST_TIMEOUT_MS,
      );
    });
  });

  test.each(POINTS)(
    'stopped %s of all: nothing more is sent when it wakes past the time limit',
    async (point) => {
      const { afterwards } = await rounds.of(`stopped ${point}`);
      expect(afterwards?.moneyCalls).toBe(0);
      for (const outcome of afterwards?.outcomes.values() ?? []) {
        expect(outcome).toMatchObject({ kind: 'not_sent', cause: 'too_late' });
      }
      expect(afterwards?.outcomes.size).toBe(point === 'after the intent' ? 4 : 0);
    },
    TEST_TIMEOUT_MS,
  );
});
