/** Delivers what the door could not: every stored notification reaches its payment, or is marked. */
import type { Logger } from 'pino';
import type { Timing } from '../domain/timing.js';
import type { StoredNotification } from '../store/inbox.js';
import type { Store } from '../store/store.js';
import { described } from './answers.js';
import { adopt, deliver, type Delivery, type DeliveryContext } from './delivery.js';

export interface DispatcherOptions {
  readonly store: Store;
  readonly client: DeliveryContext['client'];
  readonly timing: Pick<Timing, 'dispatchAfterMs' | 'dispatchEveryMs'>;
  readonly logger: Logger;
}

export interface Dispatcher {
  start(): void;
  /** Ends after the round that is running. */
  stop(): Promise<void>;
}

/** Of one claim; more wait for the next, which then follows at once. */
const BATCH = 50;
/** How many are delivered side by side. */
const PARALLEL = 10;
/** A notification for a payment that nobody knows is given up for unmatched after as many rounds. */
const MAX_UNKNOWN_ATTEMPTS = 12;
/** The longest pause between two attempts, in rounds. */
const MAX_PAUSE_ROUNDS = 12;

/** Several may run at once, in several processes: the store gives each row to one of them. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { timing, logger } = options;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  let isStopped = true;
  let isFailing = false;

  const plan = (afterMs: number): void => {
    if (isStopped) return;
    timer = setTimeout(() => {
      round = run();
    }, afterMs);
  };

  async function run(): Promise<void> {
    let handled = 0;
    try {
      handled = await dispatchRound(options);
      if (isFailing) logger.info('notifications are dispatched again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) logger.warn({ error: described(error) }, 'dispatching is interrupted');
      isFailing = true;
    }
    plan(handled === BATCH ? 0 : timing.dispatchEveryMs);
  }

  return {
    start() {
      if (!isStopped) return;
      isStopped = false;
      plan(0);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}

/** Delivers one batch of what is due. Resolves with how many were taken up. */
export async function dispatchRound(options: DispatcherOptions): Promise<number> {
  const { store, timing } = options;
  const due = await store.inbox.listUndelivered({
    olderThanMs: timing.dispatchAfterMs,
    limit: BATCH,
  });
  for (let next = 0; next < due.length; next += PARALLEL) {
    await Promise.all(due.slice(next, next + PARALLEL).map((each) => dispatchOne(options, each)));
  }
  return due.length;
}

/** Never rejects: one that cannot be delivered must not keep the others waiting. */
async function dispatchOne(
  options: DispatcherOptions,
  notification: StoredNotification,
): Promise<void> {
  const { store, logger } = options;
  const { id, connectionId, paymentId, attempts } = notification;
  try {
    await settle(options, notification, await deliver(options, notification));
  } catch (error) {
    logger.warn(
      { notificationId: id, connectionId, paymentId, attempts, error: described(error) },
      'a notification could not be delivered',
    );
    const delayMs = pauseMs(options, attempts);
    await store.inbox
      .postpone(id, { delayMs, reason: reasonOf(error) })
      // Left alone it becomes due again by itself.
      .catch(() => undefined);
  }
}

async function settle(
  options: DispatcherOptions,
  notification: StoredNotification,
  first: Delivery,
): Promise<void> {
  const { store, logger } = options;
  const { id, connectionId, paymentId, attempts } = notification;
  const isGivenUp = first.kind === 'unknown' && attempts >= MAX_UNKNOWN_ATTEMPTS;
  // Its URL names a payment of ours of which nothing is left: what is proven is kept all the same.
  const delivery = isGivenUp ? await adopt(options, notification) : first;
  if (delivery.kind === 'delivered') {
    await store.inbox.markDelivered(id, { paymentId: delivery.paymentId });
  } else if (!isGivenUp) {
    // It may be about to be recorded.
    const delayMs = pauseMs(options, attempts);
    await store.inbox.postpone(id, { delayMs, reason: 'no payment of this id is known' });
  } else {
    logger.warn({ notificationId: id, connectionId, paymentId }, 'a notification has no payment');
    await store.inbox.markUnmatched(id);
  }
}

function pauseMs({ timing }: DispatcherOptions, attempts: number): number {
  const rounds = Math.min(2 ** Math.max(attempts - 1, 0), MAX_PAUSE_ROUNDS);
  return timing.dispatchEveryMs * rounds;
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'internal';
}
