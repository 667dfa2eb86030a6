import { inject } from 'vitest';

/** What test files of one run share. Each is started by the first that asks for it. */
export interface Services {
  temporal: { address: string; namespace: string };
  /** Null where this machine has no PostgreSQL. */
  postgres: { url: string } | null;
  'workflow-bundle': { codePath: string };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the run's global setup answers for the shared services. */
    servicesUrl: string;
  }
}

/**
 * A shared service of this run, started if nobody asked for it before.
 *
 * @throws Error with the reason where it does not start.
 */
export async function service<Name extends keyof Services>(name: Name): Promise<Services[Name]> {
  const response = await fetch(new URL(name, inject('servicesUrl')));
  if (!response.ok) throw new Error(`shared ${name}: ${await response.text()}`);
  return (await response.json()) as Services[Name];
}
