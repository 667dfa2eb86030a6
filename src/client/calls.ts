/** What all calls to our workflows have in common: where they go, how long they may take. */
import {
  Client,
  WithStartWorkflowOperation,
  type Connection,
  type Workflow,
  type WorkflowIdConflictPolicy,
  type WorkflowIdReusePolicy,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import type { DataConverter } from '@temporalio/common';
import { TIMING, type Timing, type TimingProfile } from '../domain/timing.js';
import { SEARCH_ATTRIBUTES } from '../workflows/contract.js';
import { bounded } from './bounded.js';
import { isLate, toHoldfastError } from './failures.js';

export const DEFAULT_TASK_QUEUE = 'holdfast';
export const DEFAULT_NAMESPACE = 'default';

export interface HoldfastClientOptions {
  /** Of a gRPC connection (`Connection.connect`); the native one ignores deadlines. */
  readonly connection: Connection;
  readonly namespace?: string;
  readonly taskQueue?: string;
  readonly timing?: TimingProfile;
  /** How payloads are encrypted; the same as the workers'. */
  readonly dataConverter?: DataConverter;
}

/** An update, and the workflow that is started for it where none is running. */
export interface UpdateWithStart {
  readonly workflowType: string;
  readonly workflowId: string;
  readonly input: unknown;
  readonly reuse: WorkflowIdReusePolicy;
  readonly update: string;
  readonly updateId?: string;
  readonly args: readonly unknown[];
  readonly connectionId?: string;
}

const connectionKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.connection, 'KEYWORD');

export class WorkflowCalls {
  readonly client: Client;
  readonly taskQueue: string;
  readonly #profile: TimingProfile;
  readonly #timing: Timing;

  constructor(options: HoldfastClientOptions) {
    const { connection, namespace = DEFAULT_NAMESPACE, dataConverter } = options;
    this.client = new Client({ connection, namespace, ...(dataConverter && { dataConverter }) });
    this.taskQueue = options.taskQueue ?? DEFAULT_TASK_QUEUE;
    this.#profile = options.timing ?? 'production';
    this.#timing = TIMING[this.#profile];
  }

  /** @throws LateAnswer, or whatever the work throws */
  bounded<T>(work: () => Promise<T>): Promise<T> {
    return bounded(this.client, this.#timing, work);
  }

  /**
   * What the work answers; undefined when no answer came in time, which never means failure.
   *
   * @throws HoldfastError
   */
  async answered<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await this.bounded(work);
    } catch (error) {
      if (isLate(error)) return undefined;
      throw toHoldfastError(error);
    }
  }

  /** @throws HoldfastError */
  async done<T>(work: () => Promise<T>): Promise<T> {
    return this.bounded(work).catch((error: unknown) => {
      throw toHoldfastError(error);
    });
  }

  /** Of inputs; the production profile is not named. */
  profile(): { timing?: TimingProfile } {
    return this.#profile === 'production' ? {} : { timing: this.#profile };
  }

  startOptions(workflowId: string, input: unknown, connectionId?: string) {
    return {
      workflowId,
      taskQueue: this.taskQueue,
      args: [input],
      ...(connectionId !== undefined && {
        typedSearchAttributes: new TypedSearchAttributes([
          { key: connectionKey, value: connectionId },
        ]),
      }),
    };
  }

  updateWithStart<T>(asked: UpdateWithStart): Promise<T> {
    const { workflowType, workflowId, input, reuse, update, updateId, args } = asked;
    const startWorkflowOperation = new WithStartWorkflowOperation<Workflow>(workflowType, {
      ...this.startOptions(workflowId, input, asked.connectionId),
      workflowIdConflictPolicy: 'USE_EXISTING' satisfies WorkflowIdConflictPolicy,
      workflowIdReusePolicy: reuse,
    });
    return this.client.workflow.executeUpdateWithStart<Workflow, T, unknown[]>(update, {
      startWorkflowOperation,
      args: [...args],
      ...(updateId !== undefined && { updateId }),
    });
  }
}
