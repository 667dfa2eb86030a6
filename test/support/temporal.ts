import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  startDevServer,
  type DevServer,
  type DevServerOptions,
} from '../../src/temporal/dev-server.js';
import { resolveProgram, type TemporalSettings } from '../../src/temporal/resolve.js';
import { TEMPORAL_CLI, TIME_SKIPPING_SERVER } from '../../src/temporal/programs.js';
import { startTimeSkippingServer } from '../../src/temporal/time-skipping.js';
import { FAILURE_CONVERTER_PATH } from '../../src/codec/payload-codec.js';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/contract.js';
import { service } from './services.js';

/** The namespace of every test server; a test keeps to itself by task queues and ids of its own. */
export const TEST_NAMESPACE = 'default';

/** The source whose exports are the workflows. */
const WORKFLOWS_PATH = fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url));

/** What the workflows index; every one of them is a keyword. */
const KINDS: DevServerOptions['searchAttributes'] = Object.fromEntries(
  Object.values(SEARCH_ATTRIBUTES).map((name) => [name, 'Keyword']),
);

/** The dev server that all test files of this run share; started by the first that asks. */
export function sharedTemporal(): Promise<{ address: string; namespace: string }> {
  return service('temporal');
}

/** The workflows bundled for workers, once per run; give it to `Worker.create` as `workflowBundle`. */
export function sharedWorkflowBundle(): Promise<{ codePath: string }> {
  return service('workflow-bundle');
}

/** A dev server of the caller's own, for tests that stop or kill it; `stop` also removes its files. */
export async function startTestDevServer(
  options: Partial<DevServerOptions> = {},
): Promise<DevServer> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-temporal-'));
  const server = await startDevServer({
    executable: await temporalCli(),
    namespace: TEST_NAMESPACE,
    searchAttributes: KINDS,
    headless: true,
    logFile: join(folder, 'server.log'),
    ...options,
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...server, stop };
}

/** A time-skipping environment of the caller's own; end it with `teardown()`. */
export async function startTestTimeSkipping(): Promise<TestWorkflowEnvironment> {
  const { path } = await resolveProgram(TIME_SKIPPING_SERVER, {
    ...settings(),
    path: process.env['HOLDFAST_TEMPORAL_TEST_SERVER_PATH'],
  });
  return startTimeSkippingServer({ executable: path, searchAttributes: KINDS });
}

/** The Temporal CLI's path, found or fetched as Holdfast does it. */
export async function temporalCli(): Promise<string> {
  const path = process.env['HOLDFAST_TEMPORAL_CLI_PATH'];
  return (await resolveProgram(TEMPORAL_CLI, { ...settings(), path })).path;
}

function settings(): TemporalSettings {
  return { searchPath: process.env['PATH'] };
}

/** Bundles `src/workflows/index.ts` into a new temporary file; `remove` deletes it. */
export async function buildWorkflowBundle(): Promise<{
  codePath: string;
  remove(): Promise<void>;
}> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    failureConverterPath: FAILURE_CONVERTER_PATH,
    logger: new DefaultLogger('WARN'),
  });
  const codePath = join(tmpdir(), `holdfast-workflows-${randomUUID()}.js`);
  await writeFile(codePath, code);
  return { codePath, remove: () => rm(codePath, { force: true }) };
}
