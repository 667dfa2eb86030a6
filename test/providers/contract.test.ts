import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { OPERATION_NAMES, type OperationName } from '../../src/domain/ids.js';
import type { NotSentCause, Outcome } from '../../src/domain/outcome.js';
import {
  recoveryOf,
  type Connection,
  type Evidence,
  type Intent,
  type Operation,
  type PaymentCapability,
  type RefundCapability,
  type RefundIntent,
  type RefundOpened,
  type ReportCapability,
  type ReportRequest,
} from '../../src/providers/provider.js';
import { PROVIDERS } from '../../src/providers/registry.js';
import { wholeReport } from './whole-report.js';
import { FIXTURES } from './fixtures/fixtures.js';
import {
  FAULTS,
  FURTHER,
  identities,
  type Fault,
  type RunningRefunds,
  type RunningReports,
  type RunningSetup,
} from './fixtures/fixture.js';

type AnyOperation = Operation<unknown>;
type Expected = 'unknown' | `not_sent: ${NotSentCause}`;

/**
 * What a send has to answer, whatever the provider. A success status that the operation does not
 * have (garbage in place of an empty 204) is no success.
 */
const EXPECTED: Record<Fault, Expected> = {
  refuse: 'not_sent: unreachable',
  reset_before_effect: 'unknown',
  reset_after_effect: 'unknown',
  error_before_effect: 'unknown',
  error_after_effect: 'unknown',
  slow: 'unknown',
  cut_body: 'unknown',
  garbage: 'unknown',
  throttle: 'not_sent: throttled',
};

/** Whether the call has done at the provider what it was to do, though no answer said so. */
const HAS_EFFECT: Record<Fault, boolean> = {
  refuse: false,
  reset_before_effect: false,
  reset_after_effect: true,
  error_before_effect: false,
  error_after_effect: true,
  slow: true,
  cut_body: true,
  garbage: true,
  throttle: false,
};

describe('the fixtures', () => {
  it('are there for every provider of the registry, and no other', () => {
    expect(FIXTURES.map(({ provider }) => provider).sort()).toEqual([...PROVIDERS.keys()].sort());
  });

  it('leave no operation untried: each is offered by some connection of some provider', () => {
    const offered = FIXTURES.flatMap(({ setups }) =>
      setups.flatMap(({ operations }) => operations),
    );
    expect(OPERATION_NAMES.filter((name) => !offered.includes(name))).toEqual([]);
  });

  it('leave nothing else untried that a connection may have', () => {
    const had = FIXTURES.flatMap(({ setups }) => setups.flatMap(({ further }) => further));
    expect(FURTHER.filter((name) => !had.includes(name))).toEqual([]);
  });
});

const SETUPS = FIXTURES.flatMap(({ provider, setups }) =>
  setups.map((setup) => ({ title: `${provider}: ${setup.name}`, provider, setup })),
);

describe.each(SETUPS)('$title', ({ provider, setup }) => {
  let running: RunningSetup;
  let payments: PaymentCapability;
  /** Everything that went wrong in words, to be searched for secrets at the end. */
  const told: string[] = [];

  beforeAll(async () => {
    running = await setup.start();
    payments = paymentsOf(running.connection);
  });
  afterAll(() => running.close());

  const operationOf = (name: OperationName, connection: Connection = running.connection) => {
    const operation = paymentsOf(connection).operations[name];
    if (!operation) throw new Error(`${name} is not offered`);
    return operation as AnyOperation;
  };
  const send = async (intent: Intent, connection?: Connection): Promise<Outcome<unknown>> => {
    const outcome = await operationOf(intent.operation, connection).send(intent);
    if ('problem' in outcome) told.push(JSON.stringify(outcome.problem));
    return outcome;
  };

  it('is a connection of that provider', () => {
    expect(running.connection.provider).toBe(provider);
  });

  it('offers exactly the operations that it can do', () => {
    expect(Object.keys(payments.operations).sort()).toEqual([...setup.operations].sort());
  });

  it('has exactly what else it can do', () => {
    const had = FURTHER.filter((name) => running.connection[name] !== undefined);
    expect(had.sort()).toEqual([...setup.further].sort());
  });

  it('tells the workflow of each operation how a lost answer is settled', async () => {
    const outcome = await send(await running.ready('create'));
    const { recoveries } = (outcome as { value: { terms: { recoveries: object } } }).value.terms;
    const request = running.request();
    const own = setup.operations.map((name) => [name, recoveryOf(operationOf(name), request)]);
    expect(recoveries).toEqual(Object.fromEntries(own));
  });

  describe.each(setup.operations)('%s', (name) => {
    it('succeeds with one request, one effect, and facts about it', async () => {
      const intent = await running.ready(name);
      const outcome = await send(intent);
      expect(outcome.kind).toBe('succeeded');
      expect('facts' in outcome && outcome.facts.length).toBeGreaterThan(0);
      expect([running.changesAsked(intent), running.effects(intent)]).toEqual([1, 1]);
    });

    it('sends nothing once its moment has passed', async () => {
      const intent = { ...(await running.ready(name)), latestWriteAtMs: Date.now() - 1 };
      expect(summary(await send(intent))).toBe('not_sent: too_late');
      expect([running.changesAsked(intent), running.effects(intent)]).toEqual([0, 0]);
    });

    test.each(FAULTS)(
      '%s: says what is known, sends once, and the rest is found out',
      async (fault) => {
        const intent = await running.ready(name);
        const letGo = await running.arm(name, fault);
        const connection = fault === 'slow' ? running.impatient : running.connection;
        const outcome = await send(intent, connection);
        await letGo();
        expect(summary(outcome)).toBe(EXPECTED[fault]);
        expect(outcome).not.toHaveProperty('facts');
        expect(running.changesAsked(intent)).toBe(fault === 'refuse' ? 0 : 1);
        expect(running.effects(intent)).toBe(HAS_EFFECT[fault] ? 1 : 0);

        const settled = await settle(operationOf(name), intent, outcome);
        expect(settled.kind).toBe('succeeded');
        expect(running.effects(intent)).toBe(1);
      },
    );
  });

  describe('a wrong request', () => {
    it('is refused before anything is sent, each with field and rule', async () => {
      expect(running.wrongRequests.length).toBeGreaterThan(0);
      for (const request of running.wrongRequests) {
        const violations = payments.check(request);
        expect(violations.length).toBeGreaterThan(0);
        for (const { field, rule } of violations) {
          expect(field).not.toBe('');
          expect(rule).not.toBe('');
        }
        expect(running.changesAsked({ ...(await running.ready('create')), request })).toBe(0);
      }
    });

    it('is told from a right one', () => {
      expect(payments.check(running.request())).toEqual([]);
    });
  });

  describe('a fact', () => {
    test.each(setup.operations.filter((name) => name !== 'create'))(
      'is the same from answer, query and notification: %s',
      (name) => expectOneIdentity(name),
    );

    it('is the same from query and notification: paid', async () => {
      const intent = await running.ready('cancel');
      await running.pay(intent.providerReference!);
      const facts = await queried(intent);
      expect(identities(await notified())).toEqual(identities(facts));
      expect(facts.some(({ amount }) => amount?.minor === intent.amount?.minor)).toBe(true);
    });

    it('is the same from answer and query: created', async () => {
      const intent = await running.ready('create');
      const outcome = await send(intent);
      if (outcome.kind !== 'succeeded') throw new Error(outcome.kind);
      const { providerReference } = outcome.value as { providerReference: string };
      const facts = await queried({ ...intent, providerReference });
      expect(identities(facts)).toEqual(identities(outcome.facts));
    });

    async function expectOneIdentity(name: OperationName): Promise<void> {
      const intent = await running.ready(name);
      const outcome = await send(intent);
      if (outcome.kind !== 'succeeded') throw new Error(outcome.kind);
      const fromQuery = identities(await queried(intent));
      expect(identities(await notified())).toEqual(fromQuery);
      for (const id of identities(outcome.facts)) expect(fromQuery).toContain(id);
    }
    const queried = async ({ request, providerReference = '' }: Intent) => {
      const reading = await payments.read({ request, providerReference });
      if (reading.kind !== 'found') throw new Error(reading.problem.message);
      return reading.facts;
    };
    const notified = async () => {
      const receipt = await running.connection.notifications!.receive(
        await running.lastNotification(),
      );
      if (receipt.kind !== 'facts') throw new Error(receipt.kind);
      return receipt.facts;
    };
  });

  describe.each(setup.further.filter((name) => name === 'refunds'))('of %s, one', () => {
    let given: RunningRefunds;
    beforeAll(() => void (given = running.refunds!));

    const refundsOf = (connection: Connection): RefundCapability => connection.refunds!;
    const refund = async (intent: RefundIntent, connection = running.connection) => {
      const outcome = await refundsOf(connection).operation.send(intent);
      if ('problem' in outcome) told.push(JSON.stringify(outcome.problem));
      return outcome;
    };

    it('succeeds with one request and one effect, and can be asked for', async () => {
      const intent = await given.ready();
      const { providerReference, standing } = opened(await refund(intent));
      expect([given.changesAsked(intent), given.effects(intent)]).toEqual([1, 1]);
      const { paymentReference, amount } = intent;
      const asked = { paymentReference, providerReference };
      expect(await refundsOf(running.connection).read(asked)).toEqual({
        kind: 'found',
        standing,
        amount,
      });
    });

    it('is not sent once its moment has passed', async () => {
      const intent = { ...(await given.ready()), latestWriteAtMs: Date.now() - 1 };
      expect(summary(await refund(intent))).toBe('not_sent: too_late');
      expect([given.changesAsked(intent), given.effects(intent)]).toEqual([0, 0]);
    });

    test.each(FAULTS)(
      '%s: says what is known, sends once, and has one effect over all repeats',
      async (fault) => {
        const intent = await given.ready();
        const letGo = await given.arm('send', fault);
        const connection = fault === 'slow' ? running.impatient : running.connection;
        const outcome = await refund(intent, connection);
        await letGo();
        expect(summary(outcome)).toBe(EXPECTED[fault]);
        expect(given.changesAsked(intent)).toBe(fault === 'refuse' ? 0 : 1);
        expect(given.effects(intent)).toBe(HAS_EFFECT[fault] ? 1 : 0);

        expect(refundsOf(connection).operation.recovery).toBe('repeat');
        const settled = opened(await refund(intent));
        expect(opened(await refund(intent))).toEqual(settled);
        expect(given.effects(intent)).toBe(1);
      },
    );

    test.each(FAULTS)('%s: how it stands is unclear, and never absent', async (fault) => {
      const intent = await given.ready();
      const { providerReference } = opened(await refund(intent));
      const letGo = await given.arm('read', fault);
      const connection = fault === 'slow' ? running.impatient : running.connection;
      const { paymentReference } = intent;
      const reading = await refundsOf(connection).read({ paymentReference, providerReference });
      await letGo();
      expect(reading.kind).toBe('unclear');
      told.push(JSON.stringify(reading));
    });

    it('that is wrong is refused before anything is sent, each with field and rule', async () => {
      const { check } = refundsOf(running.connection);
      expect(given.wrongRequests.length).toBeGreaterThan(0);
      for (const request of given.wrongRequests) {
        const violations = check(request);
        expect(violations.length).toBeGreaterThan(0);
        for (const { field, rule } of violations) expect([field, rule]).not.toContain('');
      }
      expect(check((await given.ready()).request)).toEqual([]);
    });
  });

  describe.each(setup.further.filter((name) => name === 'reports'))('of %s, one', () => {
    let given: RunningReports;
    let requests: readonly ReportRequest[];
    beforeAll(async () => {
      given = running.reports!;
      requests = await given.ready();
    });

    const reportsOf = (connection: Connection): ReportCapability => connection.reports!;

    it('says when it is complete, where that is, and how many days it may have', () => {
      const { timeZone, completeAt, maxDays } = reportsOf(running.connection);
      expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow();
      expect(completeAt).toMatch(/^([01]\d|2[0-3]):[0-5]\d$/);
      expect(maxDays).toBeGreaterThanOrEqual(1);
    });

    it('of every kind has rows of that kind', async () => {
      const { kinds } = reportsOf(running.connection);
      expect(requests.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
      for (const request of requests) {
        const { payouts, lines } = await wholeReport(reportsOf(running.connection), request);
        const told = [...payouts.map(() => 'payouts'), ...lines.map(({ kind }) => `${kind}s`)];
        expect([...new Set(told)]).toEqual([request.kind]);
      }
    });

    test.each(FAULTS)('%s: is unclear, and never short', async (fault) => {
      const connection = fault === 'slow' ? running.impatient : running.connection;
      const faulty = requests.map(async (request) => {
        const letGo = await given.arm(request.kind, fault);
        const page = await reportsOf(connection).page(request);
        return { page, letGo };
      });
      for (const { page, letGo } of await Promise.all(faulty)) {
        await letGo();
        expect(page.kind).toBe('unclear');
        told.push(JSON.stringify(page));
      }
    });

    test.each(['', 'x', '-1', '1/2/3', '2026-02-30/0'])(
      'goes on from no cursor but its own, which is not "%s"',
      async (cursor) => {
        for (const request of requests) {
          const page = reportsOf(running.connection).page({ ...request, cursor });
          await expect(page).rejects.toThrow(RangeError);
        }
      },
    );

    it('has no more days than it may, and at least one', async () => {
      const { page, maxDays } = reportsOf(running.connection);
      const last = (days: number) => new Date(Date.UTC(2026, 0, days)).toISOString().slice(0, 10);
      for (const days of [maxDays + 1, 0]) {
        const by = { days: { from: '2026-01-01', to: last(days) } };
        for (const { kind } of requests) {
          await expect(page({ kind, by })).rejects.toThrow(RangeError);
        }
      }
    });
  });

  it('no problem ever tells a secret', () => {
    expect(told.length).toBeGreaterThan(FAULTS.length);
    for (const secret of running.secrets) {
      expect(told.filter((text) => text.includes(secret))).toEqual([]);
    }
  });

  /** As the workflow does it: by the operation's own recovery, the same key, nothing assumed. */
  async function settle(
    operation: AnyOperation,
    intent: Intent,
    outcome: Outcome<unknown>,
  ): Promise<Outcome<unknown>> {
    if (outcome.kind === 'not_sent' || operation.recovery === 'repeat') return send(intent);
    if (!('find' in operation)) throw new Error('only time settles this operation');
    const evidence: Evidence<unknown> = await operation.find(intent);
    if (evidence.kind === 'unclear') throw new Error(evidence.problem.message);
    return evidence.kind === 'settled' ? evidence.outcome : send(intent);
  }
});

function paymentsOf({ payments }: Connection): PaymentCapability {
  if (!payments) throw new Error('the connection takes no payments');
  return payments;
}

function opened(outcome: Outcome<RefundOpened>): RefundOpened {
  if (outcome.kind !== 'succeeded') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

function summary(outcome: Outcome<unknown>): string {
  return outcome.kind === 'not_sent' ? `not_sent: ${outcome.cause}` : outcome.kind;
}
