import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAPTURE_MODES, DEADLINE_POLICIES } from '../../src/domain/payment.js';
import { PAYMENT_STATUSES, type Flag, type PaymentStatus } from '../../src/domain/reducer.js';
import type { Terms } from '../../src/domain/terms.js';
import type { Wishes } from '../../src/workflows/contract.js';
import { captureBeforeMs, planNext, type Situation, type Step } from '../../src/workflows/plan.js';

const euros = (minor: string) => ({ minor, currency: 'EUR' });
const NOTHING = euros('0');
const LIMIT_MS = Date.parse('2026-01-08T00:00:00.000Z');
const HOUR_MS = 3_600_000;

/** What a connection can do with held money, and one that has no say in it. */
const TWO_STEPS: Terms = {
  captureDeadline: new Date(LIMIT_MS).toISOString(),
  recoveries: { create: 'reissue', capture: 'repeat', void: 'repeat', cancel: 'fetch' },
  partialCapture: false,
};
const ONE_STEP: Terms = {
  recoveries: { create: 'reissue', cancel: 'fetch' },
  partialCapture: false,
};

/** As agreed before there is an object whose time could run. */
const ENDLESS: Terms = { recoveries: TWO_STEPS.recoveries, partialCapture: false };

const ALL_FLAGS: readonly Flag[] = [
  ...(['contradiction', 'amount_conflict', 'amount_differs', 'currency_differs'] as const),
  ...(['paid_twice', 'over_refunded'] as const),
];

interface Circumstances extends Partial<Omit<Situation, 'view' | 'refused'>> {
  readonly flags?: readonly Flag[];
  readonly refused?: readonly ('capture' | 'void' | 'cancel')[];
}

function situation(status: PaymentStatus, given: Circumstances = {}): Situation {
  const { flags = [], refused = [], ...rest } = given;
  const held = status === 'authorized' ? euros('1250') : NOTHING;
  const amounts = { authorized: held, captured: NOTHING, voided: NOTHING, refunded: NOTHING };
  return {
    view: { status, amounts, flags, providerReferences: [], openReferences: [], objects: [] },
    captureMode: 'automatic',
    origin: 'asked',
    deadlinePolicy: 'void',
    knowsHoldTerms: true,
    wishes: {},
    terms: TWO_STEPS,
    refused: new Set(refused),
    captureBeforeMs: LIMIT_MS - 6 * HOUR_MS,
    hasAskedAtDeadline: false,
    nowMs: LIMIT_MS - 100 * HOUR_MS,
    ...rest,
  };
}

const manual = { captureMode: 'manual' } as const;
const due = { ...manual, nowMs: LIMIT_MS - 6 * HOUR_MS } as const;
const dueToCapture = { ...due, deadlinePolicy: 'capture' } as const;
const adopted = { ...manual, origin: 'adopted' } as const;
const expected = { origin: 'expected', terms: ENDLESS, captureBeforeMs: undefined } as const;
const toCapture = { capture: { amount: euros('1250') } };
const toVoid = { void: { reason: 'sold out' } };
const toCancel = { cancel: { reason: 'left' } };

describe('what comes next', () => {
  test.each<[string, Situation, Step['do']]>([
    ['a new payment is created', situation('created', { terms: undefined }), 'create'],
    [
      'unknown terms are learned first',
      situation('authorized', { terms: undefined }),
      'learn_terms',
    ],
    ['the payer is waited for', situation('requires_action'), 'await_payer'],
    ['the payer is waited for on', situation('processing'), 'await_payer'],
    [
      'a wish to cancel is carried out',
      situation('requires_action', { wishes: toCancel }),
      'cancel',
    ],
    [
      'a refused cancel is not repeated',
      situation('processing', { wishes: toCancel, refused: ['cancel'] }),
      'await_payer',
    ],
    ['what is held is captured by itself', situation('authorized'), 'capture'],
    ['a flag stops that', situation('authorized', { flags: ['amount_differs'] }), 'await_decision'],
    [
      'but not a capture that was asked for',
      situation('authorized', { flags: ['amount_differs'], wishes: toCapture }),
      'capture',
    ],
    ['manual waits', situation('authorized', manual), 'await_decision'],
    [
      'manual captures when asked',
      situation('authorized', { ...manual, wishes: toCapture }),
      'capture',
    ],
    ['void when asked', situation('authorized', { ...manual, wishes: toVoid }), 'void'],
    ['cancelled but paid is voided', situation('authorized', { wishes: toCancel }), 'void'],
    [
      'with nothing to void it, the provider is waited for',
      situation('authorized', { wishes: toCancel, terms: ONE_STEP }),
      'await_provider',
    ],
    ['our deadline asks first', situation('authorized', due), 'ask_before_void'],
    ['and voids then', situation('authorized', { ...due, hasAskedAtDeadline: true }), 'void'],
    [
      'a requested capture outlives our deadline',
      situation('authorized', { ...due, hasAskedAtDeadline: true, wishes: toCapture }),
      'capture',
    ],
    [
      "the provider's limit ends everything",
      situation('authorized', { nowMs: LIMIT_MS, wishes: toCapture }),
      'await_provider',
    ],
    [
      'a refused capture is voided at the deadline',
      situation('authorized', {
        nowMs: LIMIT_MS - HOUR_MS,
        refused: ['capture'],
        hasAskedAtDeadline: true,
      }),
      'void',
    ],
    [
      'a refused void leaves it to the provider',
      situation('authorized', { ...manual, wishes: toVoid, refused: ['void'] }),
      'await_provider',
    ],
    ['what was adopted is asked about, not created', situation('created', adopted), 'learn_terms'],
    [
      'what was adopted is asked about even where its connection has a say',
      situation('authorized', { ...adopted, knowsHoldTerms: false }),
      'learn_terms',
    ],
    ['and but once', situation('authorized', adopted), 'await_decision'],
    [
      'hold terms without an end are learned of what was expected',
      situation('authorized', { ...expected, knowsHoldTerms: false }),
      'learn_terms',
    ],
    ['but once', situation('authorized', expected), 'capture'],
    [
      'hold terms with an end are known of what was expected',
      situation('authorized', { origin: 'expected', knowsHoldTerms: false }),
      'capture',
    ],
    [
      'hold terms are learned where nothing could be done with held money',
      situation('authorized', { terms: ONE_STEP, knowsHoldTerms: false }),
      'learn_terms',
    ],
    [
      'what can be decided on without an end is not asked about',
      situation('authorized', { terms: ENDLESS, knowsHoldTerms: false }),
      'capture',
    ],
    [
      'hold terms do not matter while the payer is waited for',
      situation('requires_action', { ...expected, knowsHoldTerms: false }),
      'await_payer',
    ],
    [
      'what is held without an end waits for a decision without an end',
      situation('authorized', { ...expected, ...manual, nowMs: LIMIT_MS + HOUR_MS }),
      'await_decision',
    ],
    ['the policy capture asks first too', situation('authorized', dueToCapture), 'ask_before_void'],
    [
      'and captures then',
      situation('authorized', { ...dueToCapture, hasAskedAtDeadline: true }),
      'capture',
    ],
    [
      'but never before the deadline',
      situation('authorized', { ...manual, deadlinePolicy: 'capture' }),
      'await_decision',
    ],
    ...ALL_FLAGS.map((flag): [string, Situation, Step['do']] => [
      `nor what carries the flag ${flag}, which is voided`,
      situation('authorized', { ...dueToCapture, hasAskedAtDeadline: true, flags: [flag] }),
      'void',
    ]),
    [
      'nor what the provider refused to capture, which is voided',
      situation('authorized', { ...dueToCapture, hasAskedAtDeadline: true, refused: ['capture'] }),
      'void',
    ],
    [
      'a void that was asked for goes before the policy capture',
      situation('authorized', { ...dueToCapture, hasAskedAtDeadline: true, wishes: toVoid }),
      'void',
    ],
    ['a captured payment is over', situation('captured'), 'end'],
    ['a voided payment is over', situation('voided'), 'end'],
  ])('%s', (_name, given, expected) => {
    expect(planNext(given).do).toBe(expected);
  });

  test('a capture takes what was asked for, else all that is held', () => {
    const part = { capture: { amount: euros('300') } };
    expect(planNext(situation('authorized', { wishes: part }))).toMatchObject(part.capture);
    expect(planNext(situation('authorized'))).toMatchObject({ amount: euros('1250') });
  });
});

const SENDS: readonly Step['do'][] = ['create', 'capture', 'void', 'cancel'];
const OVER: readonly PaymentStatus[] = [
  ...([
    'captured',
    'voided',
    'expired',
    'canceled',
    'declined',
    'rejected',
    'not_started',
  ] as const),
  'verified',
];

const anySituation = fc
  .record({
    status: fc.constantFrom(...PAYMENT_STATUSES),
    flags: fc.subarray([...ALL_FLAGS]),
    refused: fc.subarray(['capture', 'void', 'cancel'] as const),
    captureMode: fc.constantFrom(...CAPTURE_MODES),
    wishes: fc
      .subarray<Wishes>([toCapture, toVoid, toCancel])
      .map((all) => all.reduce((merged, each) => ({ ...merged, ...each }), {})),
    terms: fc.constantFrom(TWO_STEPS, ONE_STEP, ENDLESS, undefined),
    origin: fc.constantFrom('asked', 'expected', 'adopted'),
    deadlinePolicy: fc.constantFrom(...DEADLINE_POLICIES),
    knowsHoldTerms: fc.boolean(),
    hoursBeforeLimit: fc.integer({ min: -3, max: 12 }),
    marginHours: fc.constantFrom(undefined, 0, 6),
    hasAskedAtDeadline: fc.boolean(),
  })
  .map(({ status, hoursBeforeLimit, marginHours, ...rest }) =>
    situation(status, {
      ...rest,
      nowMs: LIMIT_MS - hoursBeforeLimit * HOUR_MS,
      captureBeforeMs: marginHours === undefined ? undefined : LIMIT_MS - marginHours * HOUR_MS,
    }),
  );

/** Holds for every situation that can be made up. */
function always(claim: string, holds: (given: Situation, step: Step) => boolean): void {
  test(claim, () => {
    fc.assert(
      fc.property(anySituation, (given) => holds(given, planNext(given))),
      { numRuns: 3_000 },
    );
  });
}

/** Our deadline has passed, and the provider was asked since. */
function isDue({ captureBeforeMs: limitMs, nowMs, hasAskedAtDeadline }: Situation): boolean {
  return limitMs !== undefined && nowMs >= limitMs && hasAskedAtDeadline;
}

describe('whatever the situation', () => {
  always('nothing is captured that somebody wished void or cancelled', ({ wishes }, step) =>
    step.do === 'capture' ? !wishes.void && !wishes.cancel : true,
  );
  always(
    'nothing is sent about held money past the provider’s limit',
    ({ terms, nowMs, view }, step) => {
      const isPast = terms?.captureDeadline !== undefined && nowMs >= LIMIT_MS;
      return view.status === 'authorized' && isPast ? !SENDS.includes(step.do) : true;
    },
  );
  always(
    'nothing is sent that the connection does not offer or the provider refused',
    (given, step) => {
      if (step.do !== 'capture' && step.do !== 'void' && step.do !== 'cancel') return true;
      return given.terms?.recoveries[step.do] !== undefined && !given.refused.has(step.do);
    },
  );
  always(
    'what carries a flag captures on request only, and manual so or by the policy of its deadline',
    (given, step) => {
      if (step.do !== 'capture' || given.wishes.capture) return true;
      return (
        given.view.flags.length === 0 &&
        (given.captureMode === 'automatic' || (given.deadlinePolicy === 'capture' && isDue(given)))
      );
    },
  );
  always(
    'nothing is voided unasked before our deadline, nor before the provider was asked',
    (given, step) => {
      if (step.do !== 'void' || given.wishes.void || given.wishes.cancel) return true;
      return isDue(given) && !(given.wishes.capture && !given.refused.has('capture'));
    },
  );
  always(
    'only a payment that was never created is created, and none that began without us',
    ({ view, origin }, step) =>
      (step.do === 'create') === (view.status === 'created' && origin !== 'adopted'),
  );
  always('nothing is done with held money whose terms are not known', (given, step) => {
    const isAdopted = given.origin === 'adopted' && given.view.status === 'authorized';
    return isAdopted && !given.knowsHoldTerms ? step.do === 'learn_terms' : true;
  });
  always(
    'it ends exactly when nothing is held or awaited any more',
    ({ view }, step) => (step.do === 'end') === OVER.includes(view.status),
  );
});

describe('our own deadline', () => {
  const asked = new Date(LIMIT_MS - 50 * HOUR_MS).toISOString();
  const providerLimit = new Date(LIMIT_MS).toISOString();

  test.each([
    [
      'the provider’s limit less our margin',
      { asked: undefined, providerLimit },
      LIMIT_MS - HOUR_MS,
    ],
    ['what was asked for, where it is earlier', { asked, providerLimit }, LIMIT_MS - 50 * HOUR_MS],
    [
      'never later than the margin allows',
      { asked: new Date(LIMIT_MS).toISOString(), providerLimit },
      LIMIT_MS - HOUR_MS,
    ],
    ['what was asked for alone', { asked, providerLimit: undefined }, LIMIT_MS - 50 * HOUR_MS],
    ['none where nobody named one', { asked: undefined, providerLimit: undefined }, undefined],
  ])('is %s', (_name, from, expected) => {
    expect(captureBeforeMs({ ...from, marginMs: HOUR_MS })).toBe(expected);
  });
});
