/** Prepares what Holdfast stands on: tables, namespace, search attributes. May run at any time. */
import type { Connection } from '@temporalio/client';
import { connectTemporal } from '../client/connection.js';
import { keepSchedules, type DailyReport } from '../client/schedules.js';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { Connections } from '../providers/connections.js';
import type { Store } from '../store/store.js';
import { SEARCH_ATTRIBUTES } from '../workflows/contract.js';
import type { Foundation } from './foundation.js';
import type { TemporalConnection } from './temporal-connection.js';

/** gRPC status. */
const ALREADY_EXISTS = 6;
const NOT_FOUND = 5;
/** temporal.api.enums.v1.IndexedValueType.KEYWORD */
const KEYWORD = 2;
/** How long the histories of ended payments are kept, where the namespace is ours to make. */
const RETENTION = msToTs('30 days');
/** A namespace made just now takes servers a moment to see. */
const NAMESPACE_PATIENCE_MS = 20_000;

export async function prepareStore(store: Store): Promise<void> {
  await store.migrate();
}

/** Registers the namespace and the search attributes that are missing; what exists is no error. */
export async function prepareTemporal(
  temporal: TemporalConnection,
  namespace: string,
): Promise<void> {
  const connection = await connectTemporal(temporal);
  try {
    await unlessThere(() => registerNamespace(connection, namespace));
    for (const name of Object.values(SEARCH_ATTRIBUTES)) {
      await unlessThere(() => registerAttribute(connection, namespace, name));
    }
  } finally {
    await connection.close();
  }
}

/** Sweeps of all connections that can list their payments, reconciliations of those with reports. */
export async function prepareSchedules(foundation: Foundation): Promise<void> {
  const { connections, config, temporal, dataConverter } = foundation;
  const { namespace, taskQueue } = config.temporal;
  const connection = await connectTemporal(temporal);
  try {
    await keepSchedules({
      ...{ connection, namespace, taskQueue, dataConverter },
      timing: config.timing,
      swept: connections.ids().filter((id) => connections.get(id)?.payments?.search),
      reconciled: connections.ids().flatMap((id) => dailyReportOf(connections, id)),
    });
  } finally {
    await connection.close();
  }
}

function dailyReportOf(connections: Connections, connectionId: string): readonly DailyReport[] {
  const reports = connections.get(connectionId)?.reports;
  if (!reports) return [];
  const { completeAt, timeZone } = reports;
  return [{ connectionId, completeAt, timeZone }];
}

async function registerNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: RETENTION,
  });
}

async function registerAttribute(
  connection: Connection,
  namespace: string,
  name: string,
): Promise<void> {
  const request = { namespace, searchAttributes: { [name]: KEYWORD } };
  for (const deadlineMs = Date.now() + NAMESPACE_PATIENCE_MS; ;) {
    try {
      await connection.operatorService.addSearchAttributes(request);
      return;
    } catch (error) {
      if (codeOf(error) !== NOT_FOUND || Date.now() > deadlineMs) throw error;
      await new Promise((resume) => setTimeout(resume, 500));
    }
  }
}

async function unlessThere(register: () => Promise<void>): Promise<void> {
  try {
    await register();
  } catch (error) {
    if (codeOf(error) !== ALREADY_EXISTS) throw error;
  }
}

function codeOf(error: unknown): number | undefined {
  return (error as { code?: number }).code;
}
