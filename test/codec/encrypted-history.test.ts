import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import { Client, Connection, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, type DataConverter, type Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import {
  Worker,
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { startCodecServer } from '../../src/codec/codec-server.js';
import { FAILURE_CONVERTER_PATH, encryptedDataConverter } from '../../src/codec/payload-codec.js';
import { createKeyRing } from '../../src/transport/keyring.js';
import '../support/setup.js';
import { sharedTemporal } from '../support/temporal.js';
import { CANARIES, canary, type Canary } from './canaries.js';
import {
  everyWay,
  failingQuery,
  heardSignal,
  refuseUpdate,
  result,
  tellUpdate,
  untilHeard,
  whatQuery,
  type CanaryActivities,
} from './canary-workflows.js';

type Bytes = Uint8Array;

const OLD_KEY = { id: 'old', secret: new Uint8Array(32).fill(1) };
const NEW_KEY = { id: 'new', secret: new Uint8Array(32).fill(2) };
const CONVERTER = encryptedDataConverter(createKeyRing([OLD_KEY]));
const UI = 'http://localhost:8233';

const { v1: api } = proto.temporal.api.workflowservice;
const { Payload: PayloadMessage } = proto.temporal.api.common.v1;
const queue = `codec-${randomUUID()}`;

let address = '';
let namespace = '';
let bundle: WorkflowBundleWithSourceMap;
let connection: Connection;
let native: NativeConnection;
let client: Client;

beforeAll(async () => {
  ({ address, namespace } = await sharedTemporal());
  bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('canary-workflows.ts', import.meta.url)),
    failureConverterPath: FAILURE_CONVERTER_PATH,
    logger: new DefaultLogger('WARN'),
  });
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  client = new Client({ connection, namespace, dataConverter: CONVERTER });
});
afterAll(async () => {
  await native.close();
  await connection.close();
});

const activities: CanaryActivities = {
  whisper: (secret) => {
    if (secret !== canary('activity-argument')) throw new Error('not decrypted');
    return Promise.resolve(canary('activity-result'));
  },
  answer: (secret) => {
    if (secret !== canary('local-argument')) throw new Error('not decrypted');
    return Promise.resolve(canary('local-result'));
  },
  fail: () => {
    const error = ApplicationFailure.create({
      message: canary('activity-message'),
      details: [canary('activity-details'), activityInfo().attempt],
      cause: new Error(canary('activity-cause')),
    });
    error.stack = `Error\n    at ${canary('activity-stack')} (file.ts:1:1)`;
    return Promise.reject(error);
  },
};

async function withWorker<T>(
  dataConverter: DataConverter,
  work: () => Promise<T>,
  taskQueue = queue,
): Promise<T> {
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue,
    workflowBundle: bundle,
    activities,
    dataConverter,
  });
  return worker.runUntil(work);
}

/** What the server holds and shows of an execution, undecoded, as the bytes that it sends. */
async function rawOf({ workflowId }: WorkflowHandle): Promise<Bytes[]> {
  const { workflowService } = connection;
  const execution = { workflowId };
  const history = await workflowService.getWorkflowExecutionHistory({ namespace, execution });
  const described = await workflowService.describeWorkflowExecution({ namespace, execution });
  const query = { queryType: '__temporal_workflow_metadata' };
  const queried = await workflowService.queryWorkflow({ namespace, execution, query });
  return [
    api.GetWorkflowExecutionHistoryResponse.encode(history).finish(),
    api.DescribeWorkflowExecutionResponse.encode(described).finish(),
    api.QueryWorkflowResponse.encode(queried).finish(),
  ];
}

/** Every payload in what `rawOf` answered. */
function payloadsOf([history, described, queried]: readonly Bytes[]): Payload[] {
  return [
    api.GetWorkflowExecutionHistoryResponse.decode(history!),
    api.DescribeWorkflowExecutionResponse.decode(described!),
    api.QueryWorkflowResponse.decode(queried!),
  ].flatMap(payloadsIn);
}

function payloadsIn(message: unknown): Payload[] {
  if (typeof message !== 'object' || message === null || message instanceof Uint8Array) return [];
  const { metadata } = message as Payload;
  if (metadata?.['encoding'] instanceof Uint8Array) return [message];
  return Object.values(message).flatMap(payloadsIn);
}

/** The data of payloads as the Temporal UI gets it. */
async function decodedByServer(payloads: readonly Payload[]): Promise<Bytes> {
  const ring = createKeyRing([NEW_KEY, OLD_KEY]);
  const local = { host: '127.0.0.1', port: 0, tokens: [], origins: [UI] };
  const server = await startCodecServer({ ring, ...local });
  try {
    const response = await fetch(`${server.url}/decode?namespace=${namespace}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: UI, 'x-namespace': namespace },
      body: JSON.stringify({
        payloads: payloads.map((payload) =>
          PayloadMessage.toObject(PayloadMessage.create(payload), { bytes: String }),
        ),
      }),
    });
    expect(response.headers.get('access-control-allow-origin')).toBe(UI);
    const decoded = (await response.json()) as { payloads: { data?: string }[] };
    return Buffer.concat(decoded.payloads.map(({ data = '' }) => Buffer.from(data, 'base64')));
  } finally {
    await server.stop();
  }
}

/** The canaries that can be read in these bytes as they are, or in base64. */
function readable(bytes: Bytes): Canary[] {
  const text = Buffer.from(bytes).toString('latin1');
  return CANARIES.filter((name) => {
    const inBase64 = [0, 1, 2].map((shift) =>
      Buffer.from(' '.repeat(shift) + canary(name))
        .toString('base64')
        .slice(4, -4),
    );
    return [canary(name), ...inBase64].some((each) => text.includes(each));
  });
}

async function startEveryWay(): Promise<WorkflowHandle<typeof everyWay>> {
  return client.workflow.start(everyWay, {
    taskQueue: queue,
    workflowId: `codec-${randomUUID()}`,
    args: [canary('argument')],
    memo: { memo: canary('memo') },
    staticSummary: canary('static-summary'),
    staticDetails: canary('static-details'),
  });
}

/** Calls it in every way, and returns what the caller got. */
async function converse(handle: WorkflowHandle<typeof everyWay>) {
  const told = await handle.executeUpdate(tellUpdate, { args: [canary('update-argument')] });
  const refused = await handle.executeUpdate(refuseUpdate).catch((error: Error) => error);
  const seen = await handle.query(whatQuery, canary('query-argument'));
  const failed = await handle.query(failingQuery).catch((error: Error) => error);
  await handle.signal(heardSignal, canary('signal'));
  const end = await handle.result().catch((error: unknown) => error as WorkflowFailedError);
  return { told, refused, seen, failed, end };
}

describe('an encrypted execution', () => {
  it('is understood by who has the key, and by nobody else', async () => {
    const { spoken, raw } = await withWorker(CONVERTER, async () => {
      const quiet = await client.workflow.start(result, {
        taskQueue: queue,
        workflowId: `codec-${randomUUID()}`,
      });
      expect(await quiet.result()).toBe(canary('result'));
      const handle = await startEveryWay();
      return { spoken: await converse(handle), raw: [await rawOf(handle), await rawOf(quiet)] };
    });

    expect(spoken.told).toBe(`${canary('update-result')}${canary('update-argument').length}`);
    expect(spoken.refused).toMatchObject({ cause: { message: canary('update-refusal') } });
    expect(spoken.seen).toBe(canary('query-result'));
    // The SDK decodes failures of everything but queries.
    expect(spoken.failed).toMatchObject({ message: 'Encoded failure' });
    expect(spoken.end).toBeInstanceOf(WorkflowFailedError);
    expect((spoken.end as WorkflowFailedError).cause).toMatchObject({
      message: canary('end-message'),
      type: 'planned',
      details: [canary('end-details')],
      cause: {
        message: canary('rethrown'),
        cause: { cause: { message: canary('activity-message') } },
      },
    });
    expect(raw.flat().flatMap(readable)).toEqual([]);
    const decoded = readable(await decodedByServer(raw.flatMap(payloadsOf)));
    expect(decoded).toEqual(CANARIES.filter((name) => !NOT_KEPT.includes(name)));
  });

  /** What Temporal keeps no record of: it was seen to arrive instead. */
  const NOT_KEPT: readonly Canary[] = [
    'local-argument',
    'query-argument',
    'query-result',
    'query-failure',
  ];
});

describe('a signal that is not encrypted', () => {
  it('stops the workflow, until plain payloads are allowed', async () => {
    const taskQueue = `codec-${randomUUID()}`;
    const handle = await client.workflow.start(untilHeard, {
      taskQueue,
      workflowId: `codec-${randomUUID()}`,
      workflowTaskTimeout: 1_000,
    });
    const log = vi.spyOn(console, 'error').mockReturnValue();
    onTestFinished(() => log.mockRestore());
    const stranger = new Client({ connection, namespace });
    await stranger.workflow.getHandle(handle.workflowId).signal(heardSignal, 'in the clear');
    const types = async () =>
      ((await handle.fetchHistory()).events ?? []).map(({ eventType }) => eventType);
    const FAILED = proto.temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED;
    await withWorker(
      CONVERTER,
      () => expect.poll(types, { timeout: 10_000 }).toContain(FAILED),
      taskQueue,
    );
    expect(log.mock.lastCall?.[1]).toMatchObject({ error: { code: 'plain_payload' } });
    const lenient = encryptedDataConverter(createKeyRing([OLD_KEY]), { allowPlain: true });
    const heard = await withWorker(lenient, () => handle.result(), taskQueue);
    expect(heard).toBe('in the clear');
  });
});

describe('a rotation', () => {
  it('lets workers with the new key first go on with what the old one sealed', async () => {
    const taskQueue = `codec-${randomUUID()}`;
    const handle = await client.workflow.start(untilHeard, {
      taskQueue,
      workflowId: `codec-${randomUUID()}`,
    });
    const rotated = encryptedDataConverter(createKeyRing([NEW_KEY, OLD_KEY]));
    const answer = await withWorker(
      rotated,
      async () => {
        await handle.signal(heardSignal, 'sealed with the old key');
        const later = new Client({ connection, namespace, dataConverter: rotated });
        return later.workflow.getHandle(handle.workflowId).result() as Promise<string>;
      },
      taskQueue,
    );
    expect(answer).toBe('sealed with the old key');
    await expect(handle.result()).rejects.toMatchObject({ code: 'unknown_key', keyId: 'new' });
  });
});
