import type { FaultSubject, Operation, RequestFault } from './faults.js';

/** One request to the provider's API, in the order of arrival. */
export interface RequestRecord {
  /** Milliseconds since the epoch, by the sandbox's clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** As sent, without its question mark; empty where there is none. */
  readonly query: string;
  /** Undefined for a path the document does not know. */
  readonly operation: Operation | undefined;
  readonly paymentId: string | undefined;
  readonly reference: string | undefined;
  /** The `jti` of a signed request, and the Idempotency-Key header, as sent. */
  readonly jti: string | undefined;
  /** The id of the key that a signed request says it was signed with. */
  readonly kid: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: string;
  readonly fault: RequestFault['kind'] | undefined;
  /** Undefined while it is under way, and where no whole answer was sent. */
  readonly status: number | undefined;
  readonly isDone: boolean;
}

export type RequestFacts = Omit<RequestRecord, 'status' | 'isDone' | keyof FaultSubject> &
  Pick<FaultSubject, 'paymentId' | 'reference'>;

export interface RequestLog {
  begin(facts: RequestFacts): (status: number | undefined) => void;
  list(): readonly RequestRecord[];
}

export function createRequestLog(): RequestLog {
  const records: RequestRecord[] = [];
  return {
    begin: ({ paymentId, reference, ...facts }) => {
      const record = { ...facts, paymentId, reference, status: undefined, isDone: false };
      const index = records.push(record) - 1;
      return (status) => void (records[index] = { ...record, status, isDone: true });
    },
    list: () => [...records],
  };
}
