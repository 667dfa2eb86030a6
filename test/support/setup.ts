/** Keeps the SDK's own log lines out of the tests' output. Once per process, before any worker. */
import {
  DefaultLogger,
  Runtime,
  makeTelemetryFilterString,
  type LogEntry,
} from '@temporalio/worker';

/** Said of a workflow that is evicted while it answers an update; its task is then done again. */
const EVICTED_EARLY = 'if the activation was only an eviction';

function print({ level, message, meta }: LogEntry): void {
  if (!message.includes(EVICTED_EARLY)) console.error(`[${level}] ${message}`, meta ?? '');
}

Runtime.install({
  logger: new DefaultLogger('ERROR', print),
  telemetryOptions: {
    logging: { forward: {}, filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) },
  },
});
