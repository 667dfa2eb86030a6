import { ApiError, encodeAnswer, errorAnswer } from './answer.js';
import type { Answer } from './answer.js';
import type { Route } from './api.js';
import type { Authentication, Caller, IncomingRequest, ResponseSigner } from './authentication.js';

export interface Guarded extends Pick<Route, 'operation' | 'subject'> {
  readonly request: IncomingRequest;
  /** An API key will not do: 401 UNAUTHORIZED. */
  readonly isSignedOnly?: true;
  readonly handle: (caller: Caller) => Answer;
}

/** Makes a route that knows its caller before it does anything, and signs what is to be signed. */
export type Guard = (what: Guarded) => Route;

export function createGuard({
  authentication,
  signer,
}: {
  readonly authentication: Authentication;
  readonly signer: ResponseSigner;
}): Guard {
  return ({ operation, subject, request, isSignedOnly, handle }) => {
    let isRequestSigned = false;
    const sign = async (answer: Answer): Promise<Answer> => {
      const { body } = encodeAnswer(answer);
      const signature = await signer.sign({ isRequestSigned, path: request.path, body });
      return { ...answer, headers: { ...answer.headers, ...signature } };
    };
    const perform = async (instead?: Answer): Promise<Answer> => {
      try {
        const caller = await authentication.authenticate(request);
        isRequestSigned = caller.isSigned;
        if (isSignedOnly && !caller.isSigned) {
          throw new ApiError('UNAUTHORIZED', 'Only signed requests are accepted here');
        }
        return await sign(instead ?? handle(caller));
      } catch (error) {
        if (error instanceof ApiError) return sign(errorAnswer(error.code, error.message));
        throw error;
      }
    };
    return { operation, subject, perform, sign };
  };
}
