import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../../src/config.js';
import { nameOf, type Gate } from './gates.js';
import { deferred, inTime, type Deferred } from './waiting.js';

export interface ChildOrders {
  readonly config: Config;
  readonly roles: readonly ('worker' | 'server')[];
  readonly gates: readonly Gate[];
  readonly bundlePath: string;
  /** How many workflows its worker keeps in memory; the SDK's own number unless said otherwise. */
  readonly maxCachedWorkflows?: number;
}

export type ChildMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'reached'; readonly gate: Gate }
  | { readonly kind: 'answered'; readonly gate: Gate; readonly outcome: unknown };

/** Either opens all gates. */
export type ParentMessage = 'let on' | 'end';

/** A process of Holdfast that may be killed at any time, and stopped and woken. */
export interface HoldfastProcess {
  /** Resolves when its worker stands at this gate. */
  reached(gate: Gate): Promise<void>;
  /** What the activity answered that was held before it began. */
  answered(gate: Gate): Promise<unknown>;
  letOn(): void;
  /** SIGSTOP. */
  stop(): void;
  /** SIGCONT. */
  wake(): void;
  /** Asks it to end what it does and go; resolves when it is gone. */
  end(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

const ENTRY = fileURLToPath(new URL('./holdfast-process.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const STDERR_KEPT = 4_000;

/** Resolves when it is up. Rejects, with its last words, when it ends before that. */
export async function startProcess(orders: ChildOrders): Promise<HoldfastProcess> {
  const child = fork(ENTRY, [JSON.stringify(orders)], {
    cwd: ROOT,
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const exited = new Promise<void>((gone) => {
    child.once('exit', () => {
      process.off('exit', killAtExit);
      gone();
    });
  });
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  const tell = (message: ParentMessage): void => void child.send(message);
  const heard = listen(child);
  const lastWords = wordsOf(child);
  const failed = exited.then(() => {
    throw new Error(`the process ended by itself: ${lastWords()}`);
  });
  await inTime('a process that is up', Promise.race([heard('ready').promise, failed])).catch(
    async (error: unknown) => {
      await kill();
      throw error;
    },
  );
  failed.catch(() => undefined);
  return {
    reached: async (gate) => void (await heard(`reached ${nameOf(gate)}`).promise),
    answered: (gate) => heard(`answered ${nameOf(gate)}`).promise,
    letOn: () => tell('let on'),
    end: async () => {
      tell('end');
      await inTime('a process that ends', exited);
    },
    stop: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
    kill,
  };
}

/** What the child has said or will say, by name. */
function listen(child: ChildProcess): (name: string) => Deferred<unknown> {
  const said = new Map<string, Deferred<unknown>>();
  const heard = (name: string): Deferred<unknown> => {
    const found = said.get(name) ?? deferred<unknown>();
    said.set(name, found);
    return found;
  };
  child.on('message', (raw) => {
    const message = raw as ChildMessage;
    const name = message.kind === 'ready' ? 'ready' : `${message.kind} ${nameOf(message.gate)}`;
    heard(name).resolve(message.kind === 'answered' ? message.outcome : undefined);
  });
  return heard;
}

function wordsOf(child: ChildProcess): () => string {
  let words = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString('utf8')).slice(-STDERR_KEPT);
  });
  return () => words;
}
