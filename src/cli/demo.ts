/** `holdfast demo`: payments through their lives, beside what really moved at the provider. */
import pc from 'picocolors';
import { defaultConfig } from '../config.js';
import { freePort } from '../temporal/ports.js';
import { startDevStack, type DevStack } from '../workers/dev-stack.js';
import { createLogger, installTemporalLogger } from '../workers/logger.js';
import type { Sandboxes } from '../workers/sandboxes.js';
import { SCENARIOS, type Scenario, type Told } from './demo-scenarios.js';
import { tellPayoutDay } from './demo-payout-day.js';
import { demoTable } from './demo-table.js';
import { say } from './processes.js';

/** @throws Error when a payment ended otherwise than it should, or the ledgers differ */
export async function runDemo(options: { readonly isHeadless: boolean }): Promise<void> {
  const logger = createLogger('error');
  installTemporalLogger(logger);
  const defaults = defaultConfig();
  const port = await freePort();
  let aheadMs = 0;
  say(pc.bold('Holdfast demo: everything below really runs, on this machine only.\n'));
  const stack = await startDevStack({
    config: {
      ...defaults,
      connections: [],
      store: { kind: 'embedded', directory: 'memory' },
      http: { host: '127.0.0.1', port },
      timing: 'fast',
    },
    logger,
    isHeadless: options.isHeadless,
    sandboxPorts: { terminal: 0, online: 0 },
    now: () => Date.now() + aheadMs,
    onProgress: (message) => say(pc.dim(message)),
  });
  try {
    await tellAll(stack, (ms) => (aheadMs += ms));
  } finally {
    await stack.stop();
  }
}

async function tellAll(stack: DevStack, moveClock: (ms: number) => void): Promise<void> {
  const { sandboxes } = stack;
  if (!sandboxes) throw new Error('the demo runs against its own sandboxes only');
  const told: Told[] = [];
  for (const scenario of SCENARIOS) told.push(await tell(scenario, stack, sandboxes));
  say(`\n${demoTable(told)}`);
  say(`\n${pc.bold('The payout day')}`);
  const sandbox = sandboxes.online;
  await tellPayoutDay({
    ...{ stack, sandbox, told },
    step: stepper(),
    async pass(ms) {
      moveClock(ms);
      await sandbox.clock.advance(ms);
    },
  });
  if (stack.temporalUiUrl !== undefined) {
    say(`\nEach payment is a workflow you could have watched at ${stack.temporalUiUrl}`);
    say('To keep everything up and look around: npm start');
  }
  const wrong = told.filter(({ isAsExpected }) => !isAsExpected);
  if (wrong.length > 0) throw new Error(`not as it should be: ${wrong.map(nameOf).join(', ')}`);
}

async function tell(scenario: Scenario, stack: DevStack, sandboxes: Sandboxes): Promise<Told> {
  say(`\n${pc.bold(scenario.title)}`);
  const step = stepper();
  const told = await scenario.run({ stack, sandboxes, step });
  step(told.isAsExpected ? pc.green(`ends ${told.payment.status}`) : pc.red('not as expected'));
  return told;
}

/** Says what happens, and when. */
function stepper(): (message: string) => void {
  const startedMs = Date.now();
  return (message) => {
    const seconds = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
    say(`  ${pc.dim(seconds.padStart(6))}  ${message}`);
  };
}

function nameOf({ title }: Told): string {
  return title;
}
