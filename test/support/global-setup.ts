import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.js';
import type { Services } from './services.js';
import { buildWorkflowBundle, startTestDevServer } from './temporal.js';

interface Running<Value> {
  readonly value: Value;
  stop(): Promise<void>;
}

type Starters = { readonly [Name in keyof Services]: () => Promise<Running<Services[Name]>> };

const STARTERS: Starters = {
  temporal: async () => {
    const { address, namespace, stop } = await startTestDevServer();
    return { value: { address, namespace }, stop };
  },
  postgres: async () => {
    const server = await startPostgres();
    if (server === undefined) return { value: null, stop: () => Promise.resolve() };
    return { value: { url: server.url }, stop: () => server.stop() };
  },
  'workflow-bundle': async () => {
    const { codePath, remove } = await buildWorkflowBundle();
    return { value: { codePath }, stop: remove };
  },
};

/** Offers the shared services to the run's test files, and stops at its end those that ran. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<string, Promise<Running<unknown>>>();
  const start = (name: keyof Services): Promise<Running<unknown>> => {
    const running = started.get(name) ?? STARTERS[name]();
    started.set(name, running);
    return running;
  };
  const door = await openDoor(start);
  project.provide(
    'servicesUrl',
    `http://127.0.0.1:${String((door.address() as AddressInfo).port)}/`,
  );
  return async () => {
    door.close();
    door.closeAllConnections();
    await stopAll([...started.values()]);
  };
}

async function openDoor(
  start: (name: keyof Services) => Promise<Running<unknown>>,
): Promise<Server> {
  const door = createServer((request, response) => {
    const name = (request.url ?? '').slice(1);
    const answer = name in STARTERS ? start(name as keyof Services) : unknownService(name);
    answer.then(
      ({ value }) => response.end(JSON.stringify(value)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((listening) => door.listen(0, '127.0.0.1', listening));
  return door;
}

function unknownService(name: string): Promise<never> {
  return Promise.reject(new Error(`there is no service "${name}"`));
}

async function stopAll(started: readonly Promise<Running<unknown>>[]): Promise<void> {
  const outcomes = await Promise.allSettled(started);
  const running = outcomes.filter((outcome) => outcome.status === 'fulfilled');
  await Promise.all(running.map(({ value }) => value.stop()));
}
