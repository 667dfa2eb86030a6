import type { temporal } from '@temporalio/proto';
import {
  TestWorkflowEnvironment,
  type TimeSkippingTestWorkflowEnvironmentOptions,
} from '@temporalio/testing';
import type { SearchAttributeKind } from './dev-server.js';

/** Temporal's numbers for them: the enum itself is out of reach of ESM imports. */
const INDEXED_AS = {
  Text: 1,
  Keyword: 2,
  Int: 3,
  Double: 4,
  Bool: 5,
  Datetime: 6,
  KeywordList: 7,
} as const satisfies Record<SearchAttributeKind, temporal.api.enums.v1.IndexedValueType>;

export interface TimeSkippingOptions {
  /** The `temporal-test-server` program. */
  readonly executable: string;
  readonly searchAttributes: Readonly<Record<string, SearchAttributeKind>>;
  readonly client?: NonNullable<TimeSkippingTestWorkflowEnvironmentOptions['client']>;
}

/**
 * Starts the time-skipping server and connects to it. Its clock is one for all its workflows, so
 * what relies on skipped time runs alone. The caller ends it with `teardown()`.
 *
 * @throws Error where the program does not start.
 */
export async function startTimeSkippingServer({
  executable,
  searchAttributes,
  client,
}: TimeSkippingOptions): Promise<TestWorkflowEnvironment> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: executable } },
    ...(client === undefined ? {} : { client }),
  });
  await addSearchAttributes(environment, searchAttributes);
  return environment;
}

/** A workflow that names an attribute which this server does not know never starts. */
async function addSearchAttributes(
  { connection, namespace = 'default' }: TestWorkflowEnvironment,
  kinds: TimeSkippingOptions['searchAttributes'],
): Promise<void> {
  const searchAttributes = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [name, INDEXED_AS[kind]]),
  );
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
}
