/** A process of Holdfast as it is run, with gates on its worker; told what to be by its parent. */
import '../../support/setup.js';
import { workerOptions } from '../../../src/workers/dev-stack.js';
import { openFoundation } from '../../../src/workers/foundation.js';
import { createLogger } from '../../../src/workers/logger.js';
import { startServer } from '../../../src/workers/server.js';
import { prepareStore } from '../../../src/workers/setup.js';
import { startWorker } from '../../../src/workers/worker.js';
import { Gates } from './gates.js';
import type { ChildMessage, ChildOrders, ParentMessage } from './process.js';

const orders = JSON.parse(process.argv[2]!) as ChildOrders;
const { config, roles, gates: wanted, bundlePath, maxCachedWorkflows } = orders;
const gates = new Gates(wanted);
const say = (message: ChildMessage): void => void process.send?.(message);

// Neither an orphan of a test run nor what has ended may live on.
process.on('disconnect', () => process.exit());
for (const gate of wanted) {
  void gates.reached(gate).then(() => say({ kind: 'reached', gate }));
  void gates.answered(gate).then((outcome) => say({ kind: 'answered', gate, outcome }));
}

const foundation = await openFoundation(config);
if (config.store.kind === 'embedded') await prepareStore(foundation.store);
const running: { stop(): Promise<void> }[] = [];
if (roles.includes('server')) {
  running.push(await startServer(foundation, createLogger(config.logLevel)));
}
if (roles.includes('worker')) {
  const worker = await startWorker({
    ...workerOptions(foundation),
    workflowBundlePath: bundlePath,
    overrides: {
      ...gates.overrides,
      ...(maxCachedWorkflows !== undefined && { maxCachedWorkflows }),
    },
  });
  running.push(worker);
}
process.on('message', (order: ParentMessage) => {
  gates.letOn();
  if (order === 'end') void end();
});
say({ kind: 'ready' });

/** What is under way is brought to its end first. */
async function end(): Promise<void> {
  for (const part of running.reverse()) await part.stop();
  await foundation.close();
  process.disconnect();
}
