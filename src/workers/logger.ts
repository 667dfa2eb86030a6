/** Log lines are built from an allow-list: what a serializer does not name is never written. */
import { pino, type Logger } from 'pino';
import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';

export type { Logger };

export function createLogger(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describeError },
  });
}

/** Class, code and message; no request, no headers, no nested objects. */
function describeError(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return { message: 'something that is no error was thrown' };
  const code = 'code' in error ? { code: String(error.code) } : {};
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {};
  return { name: error.name, message: error.message, ...code, ...cause };
}

const LEVELS = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  ERROR: 'error',
} as const satisfies Record<LogLevel, string>;

/** Sends the SDK's own log lines to ours. Before the first worker, once per process. */
export function installTemporalLogger(logger: Logger): void {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { workflowId, activityType, taskQueue } = meta ?? {};
      logger[LEVELS[level]](
        { component: 'temporal', workflowId, activityType, taskQueue },
        message,
      );
    }),
  });
}
