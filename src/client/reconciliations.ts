/** Reconciliations: what a provider reports, compared with what we know. */
import type { ReportScope } from '../domain/reconciliation.js';
import {
  RECONCILIATION_WORKFLOW,
  reconciliationId,
  type ReconciliationInput,
  type ReconciliationResult,
} from '../workflows/contract.js';
import type { WorkflowCalls } from './calls.js';

/** What is to be compared: business days, or a payout by the provider's id of it. */
export type AskedReconciliation = { readonly connectionId: string } & ReportScope;

/** How a run ended; or that it is under way, as data that is late is waited for. */
export type ReconciliationAnswer =
  | { readonly kind: 'answered'; readonly result: ReconciliationResult }
  | { readonly kind: 'accepted'; readonly runId: string };

/** Every method throws HoldfastError, and answers or gives up within the profile's answer limit. */
export class ReconciliationCalls {
  readonly #calls: WorkflowCalls;

  constructor(calls: WorkflowCalls) {
    this.#calls = calls;
  }

  /** Starts a run, or joins the one of the same days or payout that is under way. */
  async run(asked: AskedReconciliation): Promise<ReconciliationAnswer> {
    const { connectionId, ...scope } = asked;
    const input: ReconciliationInput = { connectionId, scope, ...this.#calls.profile() };
    const { client, taskQueue } = this.#calls;
    const handle = await this.#calls.done(() =>
      client.workflow.start<(input: ReconciliationInput) => Promise<ReconciliationResult>>(
        RECONCILIATION_WORKFLOW,
        {
          // Installations that share a namespace must not join each other's.
          workflowId: `${reconciliationId(connectionId, scope)}/${taskQueue}`,
          taskQueue,
          args: [input],
          workflowIdConflictPolicy: 'USE_EXISTING',
        },
      ),
    );
    const result = await this.#calls.answered(() => handle.result());
    return result
      ? { kind: 'answered', result }
      : { kind: 'accepted', runId: handle.firstExecutionRunId };
  }
}
