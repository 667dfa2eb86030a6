/** Keeps the SDK's own log lines out of the tests' output. Once per process, before any worker. */
import { DefaultLogger, Runtime } from '@temporalio/worker';

Runtime.install({ logger: new DefaultLogger('ERROR') });
