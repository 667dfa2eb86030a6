/**
 * What no notification told: a connection's payments are listed at its provider, and what we do not
 * know of them goes through the inbox, like everything that providers tell us.
 */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Fact } from '../domain/facts.js';
import type { PaymentId } from '../domain/ids.js';
import type { Subject } from '../domain/subject.js';
import type { Timing } from '../domain/timing.js';
import type { Connections } from '../providers/connections.js';
import type { FoundPayment, PaymentCapability } from '../providers/provider.js';
import type { Store } from '../store/store.js';
import { sha256Hex } from '../transport/digest.js';
import type { SweepResult } from '../workflows/contract.js';

export interface SweepActivities {
  /** From where the last one ended, and some time before it, since payments change after they begin. */
  sweepConnection(connectionId: string): Promise<SweepResult>;
}

export interface SweepDependencies {
  readonly connections: Connections;
  readonly store: Pick<Store, 'findPaymentId' | 'hasFacts' | 'inbox' | 'sweeps'>;
  readonly timing: Timing;
  readonly now: () => number;
}

const PAGE_SIZE = 50;

export function sweepActivities(dependencies: SweepDependencies): SweepActivities {
  const { store, timing, now } = dependencies;
  return {
    async sweepConnection(connectionId) {
      const search = searchOf(dependencies, connectionId);
      const untilMs = now();
      const sweptUntil = await store.sweeps.sweptUntil(connectionId);
      const fromMs =
        sweptUntil === undefined
          ? untilMs - timing.sweepFirstBackMs
          : Date.parse(sweptUntil) - timing.sweepBackMs;
      const range = { from: isoTime(fromMs), to: isoTime(untilMs) };
      const result = await sweepPages(dependencies, { connectionId, search, range });
      await store.sweeps.markSwept(connectionId, range.to);
      return { ...result, ...range };
    },
  };
}

interface Sweeping {
  readonly connectionId: string;
  readonly search: NonNullable<PaymentCapability['search']>;
  readonly range: { readonly from: string; readonly to: string };
}

async function sweepPages(
  dependencies: SweepDependencies,
  { connectionId, search, range }: Sweeping,
): Promise<{ readonly found: number; readonly news: number }> {
  let [found, news] = [0, 0];
  for (let page = 0, totalPages = 1; page < totalPages; page += 1) {
    const result = await search({ ...range, page, pageSize: PAGE_SIZE });
    if (result.kind === 'unclear') {
      throw ApplicationFailure.retryable(result.problem.message, result.problem.code);
    }
    totalPages = result.totalPages;
    for (const payment of result.payments) {
      found += 1;
      if (await takeIn(dependencies, connectionId, payment)) news += 1;
    }
    Context.current().heartbeat({ page, totalPages });
  }
  return { found, news };
}

/** True when it tells something that we do not know. */
async function takeIn(
  { connections, store, now }: SweepDependencies,
  connectionId: string,
  payment: FoundPayment,
): Promise<boolean> {
  const { providerReference, facts, notificationUrl } = payment;
  if (!facts.some(isTelling)) return false;
  const paymentId =
    (await store.findPaymentId({ connectionId, providerReference })) ??
    paymentOfUrl(connections, connectionId, notificationUrl);
  const factIds = facts.map(({ id }) => id);
  if (paymentId !== undefined && (await store.hasFacts(paymentId, factIds))) return false;
  const { isNew } = await store.inbox.add({
    connectionId,
    eventId: `sweep/${sha256Hex(JSON.stringify([providerReference, factIds]))}`,
    ...(paymentId !== undefined && { paymentId }),
    providerReference,
    verdict: 'facts',
    facts,
    subject: subjectOf(payment),
    body: new Uint8Array(),
    headers: {},
    receivedAt: isoTime(now()),
  });
  return isNew;
}

/** Money, or an end. Of what has only begun, the payment's own questions tell. */
function isTelling({ kind }: Fact): boolean {
  return kind !== 'created' && kind !== 'processing';
}

function subjectOf({ reference, description, amount, createdAt }: FoundPayment): Subject {
  return {
    ...(reference !== undefined && { reference }),
    ...(description !== undefined && { description }),
    amount,
    createdAt,
  };
}

function paymentOfUrl(
  connections: Connections,
  connectionId: string,
  url: string | undefined,
): PaymentId | undefined {
  return url === undefined ? undefined : connections.paymentOfUrl(connectionId, url);
}

function searchOf(
  { connections }: SweepDependencies,
  connectionId: string,
): NonNullable<PaymentCapability['search']> {
  const search = connections.get(connectionId)?.payments?.search;
  if (search) return search;
  throw ApplicationFailure.nonRetryable(
    `connection ${connectionId} is not configured on this worker, or cannot list payments`,
    'unsupported',
  );
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
