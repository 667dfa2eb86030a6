/** gRPC connections to Temporal that can be closed at any time, also while calls are under way. */
import { InterceptingCall, Metadata, status as GrpcStatus, type Interceptor } from '@grpc/grpc-js';
import {
  Connection,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
  type ConnectionOptions,
} from '@temporalio/client';

/**
 * Calls that wait for their next attempt when the connection is closed are cancelled. Without this
 * the attempt, which starts from a timer, throws where nobody can catch it.
 */
const cancelledOnceClosed: Interceptor = (options, nextCall) => {
  try {
    return new InterceptingCall(nextCall(options));
  } catch (error) {
    return new InterceptingCall(cancelledCall((error as Error).message));
  }
};

type Call = ConstructorParameters<typeof InterceptingCall>[0];

/** A call that ends as cancelled as soon as it is started. */
function cancelledCall(details: string): Call {
  const nothing = (): void => undefined;
  return {
    cancelWithStatus: nothing,
    getPeer: () => 'closed',
    start: (_metadata, listener) => {
      listener?.onReceiveMessage?.(null);
      listener?.onReceiveStatus?.({
        code: GrpcStatus.CANCELLED,
        details,
        metadata: new Metadata(),
      });
    },
    sendMessageWithContext: nothing,
    sendMessage: nothing,
    startRead: nothing,
    halfClose: nothing,
    getAuthContext: () => null,
  };
}

const INTERCEPTORS = [makeGrpcRetryInterceptor(defaultGrpcRetryOptions()), cancelledOnceClosed];

/**
 * Connects with the SDK's own retries.
 *
 * @throws Error when Temporal cannot be reached within the SDK's connect timeout
 */
export function connectTemporal(
  options: Omit<ConnectionOptions, 'interceptors'>,
): Promise<Connection> {
  return Connection.connect({ ...options, interceptors: INTERCEPTORS });
}
