/**
 * What a provider's report proves and we do not know: it goes through the inbox, like everything
 * that providers tell us, and from there to its payment.
 */
import { activityInfo, Context } from '@temporalio/activity';
import { fact, type Fact } from '../domain/facts.js';
import type { StoredLine } from '../domain/reconciliation.js';
import type { Timing } from '../domain/timing.js';
import type { Store } from '../store/store.js';
import { sha256Hex } from '../transport/digest.js';
import type { RunRef } from '../workflows/contract.js';
import { notYet } from './pacing.js';

export interface ReportedFactActivities {
  /** Puts the facts of unknown lines into the inbox; answers how many are on their way. */
  feedFacts(run: RunRef): Promise<number>;
  /** Ends when they have been recorded with their payments, or have had their time. */
  awaitFacts(input: RunRef & { readonly until: string }): Promise<void>;
}

export interface ReportedFactDependencies {
  readonly store: Pick<Store, 'reconciliations' | 'inbox' | 'findPaymentId' | 'hasFacts'>;
  readonly timing: Timing;
  readonly now: () => number;
}

const LINES_A_PAGE = 200;

export function reportedFactActivities({
  store,
  timing,
  now,
}: ReportedFactDependencies): ReportedFactActivities {
  return {
    async feedFacts({ runId }) {
      let fed = 0;
      for await (const { lines } of pagesOf(runId, undefined)) {
        for (const line of lines) if (await feed(line)) fed += 1;
        Context.current().heartbeat({ fed });
      }
      return fed;
    },

    async awaitFacts({ runId, until }) {
      const [arrivedUntil] = (activityInfo().heartbeatDetails ?? []) as [string?];
      for await (const { lines, after } of pagesOf(runId, arrivedUntil)) {
        if (after !== undefined) Context.current().heartbeat([after]);
        const arrived = await Promise.all(lines.map(isKnown));
        const untilMs = Date.parse(until);
        if (arrived.includes(false) && Date.now() < untilMs) {
          const delayMs = timing.dispatchEveryMs;
          throw notYet('facts are on their way', { delayMs, untilMs, nowMs: Date.now() });
        }
      }
    },
  };

  /** False where it is known by now. */
  async function feed(line: StoredLine): Promise<boolean> {
    if (await isKnown(line)) return false;
    const proven = factOf(line);
    const { connectionId, providerReference, paymentId } = line;
    await store.inbox.add({
      ...{ connectionId, providerReference },
      eventId: `report/${sha256Hex(JSON.stringify([providerReference, proven.id]))}`,
      ...(paymentId !== undefined && { paymentId }),
      verdict: 'facts',
      facts: [proven],
      ...subjectOf(line),
      body: new Uint8Array(),
      headers: {},
      receivedAt: new Date(now()).toISOString(),
    });
    return true;
  }

  async function isKnown(line: StoredLine): Promise<boolean> {
    const { connectionId, providerReference } = line;
    const paymentId =
      line.paymentId ?? (await store.findPaymentId({ connectionId, providerReference }));
    return paymentId !== undefined && store.hasFacts(paymentId, [factOf(line).id]);
  }

  async function* pagesOf(
    runId: string,
    from: string | undefined,
  ): AsyncGenerator<{ readonly lines: readonly StoredLine[]; readonly after?: string }> {
    let after = from;
    do {
      const page = await store.reconciliations.unknownLines(runId, {
        limit: LINES_A_PAGE,
        ...(after !== undefined && { after }),
      });
      yield { lines: page.lines, ...(after !== undefined && { after }) };
      after = page.nextCursor;
    } while (after !== undefined);
  }
}

/** That a payment of this amount, or this part of it given back, is done. */
function factOf({
  kind,
  providerReference,
  refundReference,
  amount,
  occurredAt,
}: StoredLine): Fact {
  return fact({
    kind: kind === 'payment' ? 'captured' : 'refunded',
    object: providerReference,
    ...(refundReference !== undefined && { part: refundReference }),
    ...{ amount, occurredAt },
    source: 'report',
  });
}

/** Of payments alone: a refund tells too little of its payment to begin it. */
function subjectOf({ kind, merchantReference, description, amount, occurredAt }: StoredLine) {
  if (kind !== 'payment') return {};
  return {
    subject: {
      ...(merchantReference !== undefined && { reference: merchantReference }),
      ...(description !== undefined && { description }),
      ...{ amount, createdAt: occurredAt },
    },
  };
}
