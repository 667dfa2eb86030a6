import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startPrivatePostgres, type TestPostgres } from '../support/postgres.js';
import type { ApiAnswer } from './support/api.js';
import {
  POINTS,
  allAt,
  bringToBrink,
  callOf,
  cellNamesAt,
  cellsAt,
  expectRight,
  finish,
  gatesOf,
  hasHappened,
  holdRequests,
  quiet,
  reportsOn,
  truthsOf,
  type Cell,
  type Point,
  type Reports,
} from './support/cells.js';
import { Gates } from './support/gates.js';
import { playRounds, type Rounds } from './support/rounds.js';
import { until } from './support/waiting.js';
import { openWorld, type Stage, type World } from './support/world.js';

/**
 * PostgreSQL is killed while all operations are under way, at every point of theirs, and started
 * again when the money has moved: it does not wait for the store.
 */
interface Round {
  readonly reports: Reports;
  /** To the requests that were under way, by the cells' names. */
  readonly answers: ReadonlyMap<string, ApiAnswer>;
}

const ONE_AFTER_THE_OTHER = 1;
const TEST_TIMEOUT_MS = 180_000;

const postgres = await startPrivatePostgres();

describe.runIf(postgres !== undefined)('the store', () => {
  let world: World;
  let stage: Stage;
  let rounds: Rounds<Round>;
  const gates = new Gates();
  const { kill9, start, stop, url } = postgres ?? ({} as TestPostgres);

  beforeAll(async () => {
    world = await openWorld();
    stage = await world.openStage({ kind: 'postgres', url });
    await (await stage.foundation()).store.migrate();
    await stage.serve();
    await stage.work(gates);
    const all = POINTS.map((point) => [point, () => play(point)] as const);
    rounds = playRounds(ONE_AFTER_THE_OTHER, Object.fromEntries(all));
  });
  afterAll(async () => {
    await rounds?.settled();
    await world?.close();
    await stop();
  });

  async function play(point: Point): Promise<Round> {
    const cells = cellsAt(point);
    gates.arm(gatesOf(cells, point));
    await bringToBrink(world, stage, cells);

    const held = holdRequests(world, cells);
    const ask = () => cells.map((cell) => stage.api.begin(callOf(cell)).answer);
    let asked: readonly Promise<ApiAnswer>[];
    if (point === 'before the intent') {
      await kill9();
      asked = ask();
    } else {
      asked = ask();
      await allAt(point, { cells, held, reached: (gate) => gates.reached(gate) });
      await kill9();
    }
    gates.letOn();
    held.release();
    const answers = await Promise.all(asked);
    await Promise.all(cells.filter((cell) => goesOn(point, cell)).map(untilHappened));

    await start();
    await finish(world, stage, cells);
    await quiet(world, stage, cells);
    const { store } = await stage.foundation();
    const reports = await reportsOn(world, store, await truthsOf(stage, cells));
    return { reports, answers: new Map(cells.map(({ name }, index) => [name, answers[index]!])) };
  }

  function untilHappened(cell: Cell): Promise<true> {
    const what = `${cell.name} at the provider, without the store`;
    return until(what, () => hasHappened(world, cell) || undefined);
  }

  describe.each(POINTS)('killed %s of', (point) => {
    test.each(cellNamesAt(point))(
      '%s: the payment goes on without it, ends right and is recorded; its money moves once',
      async (name) => {
        const { reports, answers } = await rounds.of(point);
        expectRight(reports.get(name));
        const { status, body } = answers.get(name)!;
        if (goesOn(point, { operation: name })) expect([200, 201, 202]).toContain(status);
        else
          expect({ status, body }).toMatchObject({
            status: 503,
            body: { code: 'store_unavailable' },
          });
      },
      TEST_TIMEOUT_MS,
    );
  });
});

/** Without a store nothing is opened; everything else goes on. */
function goesOn(point: Point, { operation }: { readonly operation: string }): boolean {
  return point !== 'before the intent' || operation !== 'create';
}
