import { startTestTimeSkipping } from '../../test/support/temporal.js';
import { startFloor } from '../floor/floor.js';
import { openRestartableStore, type RestartableStore } from '../support/restartable-store.js';
import { openStage, type BenchServer, type PaymentCost, type Stage } from '../support/stage.js';
import { fetchCost } from './count.js';
import type { Costs } from './budget.js';
import {
  acknowledgeFails,
  automatic,
  manual,
  polled,
  polledInSilence,
  storeDown,
  type SkippingStage,
} from './scenarios.js';

export interface MeasureOptions {
  /** A real server; the one that skips time is started here. */
  readonly server: BenchServer;
  readonly workflowBundlePath: string;
}

type Scenarios<S> = Readonly<Record<string, (stage: S) => Promise<PaymentCost>>>;

/** With production's times: nothing is waited for. */
const PROMPT: Scenarios<Stage> = {
  automatic,
  'manual, by a capture call': manual,
};

/** With the fast profile's. */
const WAITING: Scenarios<Stage> = { 'automatic, found by polling': polled };

/** With production's times again, skipped. */
const LONG: Scenarios<SkippingStage> = {
  'never paid, found expired by polling': (stage) => polledInSilence(stage, 0.05),
  'polled in silence for a day': (stage) => polledInSilence(stage, 24),
  'polled in silence for seven days': (stage) => polledInSilence(stage, 168),
  'store down for a minute': (stage) => storeDown(stage, 1),
  'store down for an hour': (stage) => storeDown(stage, 60),
  'acknowledge failing for a day': (stage) => acknowledgeFails(stage, 24),
  'acknowledge failing for 160 hours': (stage) => acknowledgeFails(stage, 160),
};

/** Lives through every scenario once, and counts. */
export async function measureCosts(options: MeasureOptions): Promise<Costs> {
  const store = await openRestartableStore();
  const common = { ...options, store: store.store };
  try {
    return {
      'bare floor': await measureFloor(options.server),
      ...(await onStage(await openStage({ ...common, timing: 'production' }), PROMPT)),
      ...(await onStage(await openStage({ ...common, timing: 'fast' }), WAITING)),
      ...(await measureLong(options, store)),
    };
  } finally {
    await store.remove();
  }
}

async function measureFloor(server: BenchServer): Promise<PaymentCost> {
  const floor = await startFloor(server);
  try {
    return { ...(await fetchCost(floor.temporal, await floor.run())), retriedAttempts: 0 };
  } finally {
    await floor.close();
  }
}

async function measureLong(options: MeasureOptions, store: RestartableStore): Promise<Costs> {
  const environment = await startTestTimeSkipping();
  const { address, connection, namespace = 'default' } = environment;
  try {
    const stage = await openStage({
      server: { address, connection, namespace },
      workflowBundlePath: options.workflowBundlePath,
      store: store.store,
      timing: 'production',
    });
    return await onStage({ ...stage, environment, store }, LONG);
  } finally {
    await environment.teardown();
  }
}

async function onStage<S extends Stage>(stage: S, scenarios: Scenarios<S>): Promise<Costs> {
  try {
    const costs: Record<string, PaymentCost> = {};
    for (const [name, live] of Object.entries(scenarios)) costs[name] = await live(stage);
    return costs;
  } finally {
    await stage.close();
  }
}
