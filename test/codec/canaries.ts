/** Words that must never be read where nobody has a key; each tells which way it went. */
export const CANARIES = [
  'argument',
  'memo',
  'upserted-memo',
  'static-summary',
  'static-details',
  'current-details',
  'timer-summary',
  'activity-summary',
  'activity-argument',
  'activity-result',
  'local-argument',
  'local-result',
  'activity-message',
  'activity-stack',
  'activity-details',
  'activity-cause',
  'signal',
  'update-argument',
  'update-result',
  'update-refusal',
  'rethrown',
  'end-message',
  'end-details',
  'query-argument',
  'query-result',
  'query-failure',
  'result',
] as const;

export type Canary = (typeof CANARIES)[number];

export const canary = (name: Canary): string => `canary~${name}~`;
