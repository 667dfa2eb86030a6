import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { sharedPostgres } from '../support/postgres.js';
import {
  POINTS,
  allAt,
  bringToBrink,
  callOf,
  cellNamesAt,
  cellsAt,
  expectCutOff,
  expectRight,
  finish,
  gatesOf,
  holdRequests,
  quiet,
  reportsOn,
  truthsOf,
  type Point,
  type Reports,
} from './support/cells.js';
import { playRounds, type Rounds } from './support/rounds.js';
import { openWorld, type World } from './support/world.js';

/**
 * Worker, server and embedded store die together, as one process, at every point of every
 * operation; the next process finds what was committed. Where PostgreSQL tries all points, two do.
 */
interface Round {
  readonly reports: Reports;
  readonly answers: readonly PromiseSettledResult<unknown>[];
}

const AT_A_TIME = 2;
const TEST_TIMEOUT_MS = 180_000;
const TRIED: readonly Point[] = (await sharedPostgres())
  ? ['after the intent', 'after the record']
  : POINTS;

describe('a process of everything', () => {
  let world: World;
  let folder: string;
  let rounds: Rounds<Round>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-crash-stores-'));
    world = await openWorld();
    const all = TRIED.map((point) => [point, () => play(point)] as const);
    rounds = playRounds(AT_A_TIME, Object.fromEntries(all));
  });
  afterAll(async () => {
    await rounds?.settled();
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function play(point: Point): Promise<Round> {
    const cells = cellsAt(point);
    const stage = await world.openStage({ kind: 'embedded', directory: join(folder, point) });
    const victim = await stage.spawn(['worker', 'server'], gatesOf(cells, point));
    await bringToBrink(world, stage, cells);

    const held = holdRequests(world, cells);
    const calls = cells.map((cell) => stage.api.begin(callOf(cell)));
    if (point === 'before the intent') await Promise.all(calls.map(({ sent }) => sent));
    else await allAt(point, { cells, held, reached: victim.reached });
    await victim.kill();
    const answers = await Promise.allSettled(calls.map(({ answer }) => answer));
    held.release();

    await stage.serve();
    await stage.work();
    await finish(world, stage, cells);
    await quiet(world, stage, cells);
    const { store } = await stage.foundation();
    const reports = await reportsOn(world, store, await truthsOf(stage, cells));
    await stage.close();
    return { reports, answers };
  }

  describe.each(TRIED)('killed %s of', (point) => {
    test.each(cellNamesAt(point))(
      '%s: the payment ends right, its money moves once, the store has its history',
      async (name) => {
        const { reports, answers } = await rounds.of(point);
        expectCutOff(point, answers);
        expectRight(reports.get(name));
      },
      TEST_TIMEOUT_MS,
    );
  });
});
