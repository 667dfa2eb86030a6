import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  startDevServer,
  type DevServer,
  type DevServerOptions,
} from '../../src/temporal/dev-server.js';
import { freePort, isListening } from '../../src/temporal/ports.js';
import { SEARCH_ATTRIBUTES } from '../../src/workflows/contract.js';
import { sharedTemporal, startTestTimeSkipping, temporalCli } from '../support/temporal.js';

let folder: string;
let running: DevServer[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-dev-server-'));
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<DevServerOptions> = {}): Promise<DevServer> {
  const server = await startDevServer({
    executable: await temporalCli(),
    namespace: 'payments',
    searchAttributes: {},
    logFile: join(folder, 'server.log'),
    ...options,
  });
  running.push(server);
  return server;
}

describe('the dev server', () => {
  it('answers, with its namespace, search attributes and UI, when it is said to be started', async () => {
    const server = await start({
      searchAttributes: { TestStatus: 'Keyword', TestDue: 'Datetime' },
    });
    const connection = await Connection.connect({ address: server.address });
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: 'payments',
    });
    const workflows = new Client({ connection, namespace: 'payments' }).workflow;
    expect(await workflows.count(`TestStatus = 'none'`)).toMatchObject({ count: 0 });
    await connection.close();
    expect(Object.keys(customAttributes)).toEqual(
      expect.arrayContaining(['TestStatus', 'TestDue']),
    );
    expect((await fetch(server.uiUrl as string)).status).toBe(200);
    expect(Number(server.address.split(':')[1])).toBeLessThan(32_768);
  });

  it('is gone after stop, and stopping it again does no harm', async () => {
    const server = await start({ headless: true });
    expect(server.uiUrl).toBeUndefined();
    await server.stop();
    await server.stop();
    expect(() => process.kill(server.pid, 0)).toThrow('ESRCH');
    expect(await isListening(Number(server.address.split(':')[1]))).toBe(false);
  });

  it('keeps its state in the file it is given', async () => {
    const dbFilename = join(folder, 'state.db');
    const first = await start({ headless: true, dbFilename });
    const started = await startWorkflow(first);
    await first.stop();
    const second = await start({ headless: true, dbFilename });
    const connection = await Connection.connect({ address: second.address });
    const handle = new Client({ connection, namespace: 'payments' }).workflow.getHandle('kept');
    expect((await handle.describe()).runId).toBe(started);
    await connection.close();
  });

  it('says why it did not start, with what the server printed', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const attempt = start({ headless: true, port });
    await expect(attempt).rejects.toThrow(/ended early: exit code 1[\s\S]*address already in use/);
    taken.close();
  });

  it('takes other ports when somebody else took the free ones first', async () => {
    const executable = join(folder, 'temporal');
    const script = [
      '#!/bin/sh',
      `if [ -e ${folder}/tried ]; then exec ${await temporalCli()} "$@"; fi`,
      `touch ${folder}/tried`,
      'echo "bind: address already in use"; exit 1',
    ];
    await writeFile(executable, script.join('\n'));
    await chmod(executable, 0o755);
    await start({ headless: true, executable });
    expect(await readFile(join(folder, 'server.log'), 'utf8')).toContain('already in use');
  });

  it('is given up after its time, and then no longer runs', async () => {
    const executable = join(folder, 'temporal');
    await writeFile(executable, `#!/bin/sh\necho $$ > ${folder}/pid\nexec sleep 60\n`);
    await chmod(executable, 0o755);
    const attempt = start({ headless: true, executable, startTimeoutMs: 300 });
    await expect(attempt).rejects.toThrow('no answer within 300 ms');
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it.runIf(hasParentDeathSignal())('dies with a parent that is killed', async () => {
    const script = join(folder, 'parent.mts');
    await writeFile(script, parentScript(await temporalCli(), await freePort()));
    const parent = spawn(process.execPath, ['--import', 'tsx', script], {
      cwd: process.cwd(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
    const { pid, port } = JSON.parse(printed.toString()) as { pid: number; port: number };
    expect(await isListening(port)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
  });
});

describe('the servers of a test run', () => {
  it('include one dev server for all, the same for whoever asks', async () => {
    const [one, other] = await Promise.all([sharedTemporal(), sharedTemporal()]);
    expect(other).toEqual(one);
    const connection = await Connection.connect({ address: one.address });
    const { namespaceInfo } = await connection.workflowService.describeNamespace(one);
    expect(namespaceInfo?.name).toBe(one.namespace);
    await connection.close();
  });

  it('include a time-skipping one, which knows our search attributes', async () => {
    const environment = await startTestTimeSkipping();
    onTestFinished(() => environment.teardown());
    const before = await environment.currentTimeMs();
    await environment.sleep('7 days');
    expect((await environment.currentTimeMs()) - before).toBeGreaterThanOrEqual(7 * 86_400_000);
    // A task that waits for a worker keeps this server's clock from skipping: so it comes last.
    const searchAttributes = { [SEARCH_ATTRIBUTES.connection]: ['indexed'] };
    const handle = await environment.client.workflow.start('any', {
      workflowId: 'indexed',
      taskQueue: 'nobody',
      searchAttributes,
    });
    expect((await handle.describe()).searchAttributes).toMatchObject(searchAttributes);
  });
});

async function startWorkflow({ address }: DevServer): Promise<string> {
  const connection = await Connection.connect({ address });
  const { workflow } = new Client({ connection, namespace: 'payments' });
  const handle = await workflow.start('any', { workflowId: 'kept', taskQueue: 'nobody' });
  await connection.close();
  return handle.firstExecutionRunId;
}

function parentScript(executable: string, port: number): string {
  const module = new URL('../../src/temporal/dev-server.ts', import.meta.url).href;
  const options = { executable, port, namespace: 'default', searchAttributes: {}, headless: true };
  return `
    import { startDevServer } from ${JSON.stringify(module)};
    const logFile = ${JSON.stringify(join(folder, 'child.log'))};
    const { pid } = await startDevServer({ ...${JSON.stringify(options)}, logFile });
    console.log(JSON.stringify({ pid, port: ${String(port)} }));
    setInterval(() => {}, 1000);
  `;
}

function hasParentDeathSignal(): boolean {
  try {
    execFileSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' });
    return process.platform === 'linux';
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
