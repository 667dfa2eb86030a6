/**
 * Puts messages and stacks of failures into a payload, where the codec can encrypt them.
 *
 * The SDK loads this file by its path: with `require` in clients and workers, and into the bundle of
 * the workflows' sandbox. So it imports nothing but the SDK, and holds no syntax but JavaScript's,
 * which lets Node load the source itself where the program was not built.
 */
import { DefaultFailureConverter } from '@temporalio/common';

export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });

// The SDK writes "Encoded failure" over the failure that an error carries. Without a copy, an error
// that is converted a second time (rethrown, or a cause) would have lost its message.
const convert = failureConverter.errorToFailureInner.bind(failureConverter);
failureConverter.errorToFailureInner = (...error) => ({ ...convert(...error) });
