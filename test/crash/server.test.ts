import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoreSettings } from '../../src/store/store.js';
import { createDatabase, sharedPostgres, type TestDatabase } from '../support/postgres.js';
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
import { Gates } from './support/gates.js';
import { playRounds, type Rounds } from './support/rounds.js';
import { openWorld, type World } from './support/world.js';

/**
 * The server is killed while the requests for all operations are with it, at every point of theirs.
 * Its clients repeat them, under the same Idempotency-Key, against the next server.
 */
interface Round {
  readonly reports: Reports;
  /** What became of the requests that were under way. */
  readonly answers: readonly PromiseSettledResult<unknown>[];
}

const AT_A_TIME = 3;
const TEST_TIMEOUT_MS = 180_000;

const postgres = await sharedPostgres();

describe.runIf(postgres !== undefined)('a server', () => {
  let world: World;
  let database: TestDatabase;
  let rounds: Rounds<Round>;

  beforeAll(async () => {
    world = await openWorld();
    database = await createDatabase(postgres!.url);
    const stage = await world.openStage(storeSettings());
    await (await stage.foundation()).store.migrate();
    const all = POINTS.map((point) => [point, () => play(point)] as const);
    rounds = playRounds(AT_A_TIME, Object.fromEntries(all));
  });
  afterAll(async () => {
    await rounds?.settled();
    await world?.close();
    await database?.drop();
  });

  const storeSettings = (): StoreSettings => ({ kind: 'postgres', url: database.url });

  async function play(point: Point): Promise<Round> {
    const cells = cellsAt(point);
    const stage = await world.openStage(storeSettings());
    const gates = new Gates(gatesOf(cells, point));
    await stage.work(gates);
    const victim = await stage.spawn(['server']);
    await bringToBrink(world, stage, cells);

    const held = holdRequests(world, cells);
    const calls = cells.map((cell) => stage.api.begin(callOf(cell)));
    if (point === 'before the intent') await Promise.all(calls.map(({ sent }) => sent));
    else await allAt(point, { cells, held, reached: (gate) => gates.reached(gate) });
    await victim.kill();
    const answers = await Promise.allSettled(calls.map(({ answer }) => answer));
    gates.letOn();
    held.release();

    await stage.serve();
    await finish(world, stage, cells);
    await quiet(world, stage, cells);
    const { store } = await stage.foundation();
    const reports = await reportsOn(world, store, await truthsOf(stage, cells));
    await stage.close();
    return { reports, answers };
  }

  describe.each(POINTS)('killed %s of', (point) => {
    test.each(cellNamesAt(point))(
      '%s: a repeat meets the same payment, which ends right; its money moves once',
      async (name) => {
        const { reports, answers } = await rounds.of(point);
        expectCutOff(point, answers);
        expectRight(reports.get(name));
        expect(reports.get(name)?.objects).toHaveLength(1);
      },
      TEST_TIMEOUT_MS,
    );
  });
});
