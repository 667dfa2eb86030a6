/** What Temporal's failures mean for callers. */
import {
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  isGrpcServiceError,
} from '@temporalio/client';
import { status as GrpcStatus } from '@grpc/grpc-js';
import { PROBLEM_CODES, type ProblemCode } from '../domain/problem.js';
import { HoldfastError } from './errors.js';

/** No answer within the time we give; what was asked for may be done all the same. */
export class LateAnswer extends Error {}

export function unavailable(message: string, cause: unknown): HoldfastError {
  return new HoldfastError({ code: 'orchestrator_unavailable', message }, { cause });
}

export function isLate(error: unknown): boolean {
  if (error instanceof HoldfastError) return false;
  if (error instanceof LateAnswer || error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return true;
  }
  const cause = error instanceof Error && error.cause ? error.cause : error;
  return isGrpcServiceError(cause) && cause.code === GrpcStatus.DEADLINE_EXCEEDED;
}

export function toHoldfastError(error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  if (error instanceof WorkflowNotFoundError) {
    return new HoldfastError(
      { code: 'not_found', message: 'no payment of this id is running' },
      { cause: error },
    );
  }
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    return refused(error);
  }
  return unavailable('Temporal cannot be reached or did not answer', error);
}

/** A handler's or an activity's refusal: its type is our code. */
function refused(error: WorkflowUpdateFailedError | WorkflowFailedError): HoldfastError {
  const cause = innermost(error);
  const type = 'type' in cause ? String(cause.type) : '';
  const code: ProblemCode = Object.hasOwn(PROBLEM_CODES, type) ? (type as ProblemCode) : 'internal';
  return new HoldfastError({ code, message: cause.message }, { cause: error });
}

function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
