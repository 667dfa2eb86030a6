import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isExecutable } from './files.js';
import type { TemporalProgram } from './programs.js';

/**
 * Lets Temporal's SDK download the program into `folder`, which it does by starting the server
 * once, and answers the program's path. The build is the SDK's choice, not the pinned one.
 *
 * @throws Error where the SDK's download site is out of reach.
 */
export async function downloadBySdk(program: TemporalProgram, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await startOnce(program, folder);
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  throw new Error(`the SDK left no program in ${folder}`);
}

async function startOnce(program: TemporalProgram, downloadDir: string): Promise<void> {
  // The SDK's testing package loads a native library: only who needs its download pays for it.
  const { TestWorkflowEnvironment } = await import('@temporalio/testing');
  const server = { executable: { type: 'cached-download' as const, downloadDir } };
  const environment =
    program.serverType === 'time-skipping'
      ? await TestWorkflowEnvironment.createTimeSkipping({ server })
      : await TestWorkflowEnvironment.createLocal({ server });
  await environment.teardown();
}
