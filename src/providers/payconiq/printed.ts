/**
 * Printed codes (PCQ-24 to PCQ-26): nothing is sent to open, find or withdraw one. Its payment
 * begins when somebody scans it, and is known by what the code says.
 */
import { fact, mergeFacts, type Fact } from '../../domain/facts.js';
import { expectedObject } from '../../domain/ids.js';
import { askedMoney, money, isSameMoney } from '../../domain/money.js';
import type { Outcome } from '../../domain/outcome.js';
import type { PaymentRequest } from '../../domain/payment.js';
import type { Expectation } from '../../domain/subject.js';
import { unexpectedAnswer } from '../../transport/classify.js';
import type { Intent, Opened, ReadRequest, Reading } from '../provider.js';
import type { PaymentsContext } from './context.js';
import { codeOf } from './creation.js';
import { optionsOf } from './flavours.js';
import type { Checked } from './formats/check.js';
import { parseOgm } from './formats/ogm.js';
import { structuredInvoiceUrl, templateUrl } from './formats/qr-links.js';
import { amountsOf, factsOf, payerOf, statusMeaning } from './mapping.js';
import { searchSince, unclear } from './reads.js';
import type { Details } from './wire.js';
import { invalidRequest } from '../../domain/problem.js';

/** What can be found of a code whose payments carry no reference of ours: those with money. */
const PAID_STATUSES = ['AUTHORIZED', 'PENDING_MERCHANT_ACKNOWLEDGEMENT', 'SUCCEEDED', 'VOIDED'];

interface PrintedCodes {
  /** What is to be printed. The same however often it is asked for. */
  open(intent: Intent): Outcome<Opened>;
  /** We no longer expect it. The code on the paper can still be scanned, and may then be paid. */
  withdraw(intent: Intent): Outcome & { readonly kind: 'succeeded' };
  /** Asks by what the code says, and by the scan that is known, if one is. */
  read(asked: ReadRequest): Promise<Reading>;
}

export function printedCodes(context: PaymentsContext): PrintedCodes {
  const { settings, reads, now, deadline, notificationUrl } = context;

  const stated = (kind: 'expected' | 'canceled', { paymentId }: Intent): Fact =>
    fact({
      kind,
      object: expectedObject(paymentId),
      occurredAt: new Date(now()).toISOString(),
      source: 'holdfast',
    });

  const contentOf = (request: PaymentRequest): Checked<string> => {
    const { profileId } = settings;
    const { description, reference, amount } = expectationOf(request);
    const of = { profileId, ...(amount && { amount }) };
    const communication = communicationOf(request);
    return communication === undefined
      ? templateUrl({
          ...of,
          ...(description !== undefined && { description }),
          ...(reference !== undefined && { reference }),
        })
      : structuredInvoiceUrl({ ...of, communication });
  };

  const communicationOf = (request: PaymentRequest): string | undefined => {
    const options = optionsOf(settings, request);
    return options.flavour === 'invoice' ? options.structuredCommunication : undefined;
  };

  const expectationOf = (request: PaymentRequest): Expectation => {
    const { merchantReference: reference, description } = request;
    const amount = askedMoney(request.amount);
    const communication = parseOgm(communicationOf(request) ?? '');
    return {
      ...(communication === undefined
        ? { reference, ...(description !== undefined && { description }) }
        : { description: communication }),
      ...(amount && { amount }),
    };
  };

  function open(intent: Intent): Outcome<Opened> {
    const { request } = intent;
    const content = contentOf(request);
    if ('violations' in content) {
      const problem = invalidRequest(content.violations);
      return { kind: 'not_sent', cause: 'rejected', problem };
    }
    const isInvoice = optionsOf(settings, request).flavour === 'invoice';
    return {
      kind: 'succeeded',
      value: {
        expects: expectationOf(request),
        nextAction: {
          kind: 'qr_code',
          qrCode: codeOf(settings, content.value),
          ...(isInvoice && { appLink: content.value }),
        },
        terms: context.terms(request, {}),
      },
      facts: [stated('expected', intent)],
    };
  }

  async function read({ request, providerReference }: ReadRequest): Promise<Reading> {
    const deadlineMs = deadline();
    const found = await search(request, deadlineMs);
    if (found.kind === 'unclear') return found;
    const scans = [...found.payments];
    const isMissing = !scans.some(({ paymentId }) => paymentId === providerReference);
    if (providerReference !== undefined && isMissing) {
      const known = await reads.details(providerReference, deadlineMs);
      if (known.kind === 'unclear') return known;
      if (known.kind === 'found') scans.push(known.details);
    }
    return readingOf(request, scans);
  }

  async function search(request: PaymentRequest, deadlineMs: number) {
    const expected = expectationOf(request);
    const { reference } = expected;
    const found = await reads.all(
      {
        ...searchSince(Date.parse(request.requestedAt), now()),
        ...(reference === undefined ? { providerStatuses: PAID_STATUSES } : { reference }),
      },
      deadlineMs,
    );
    if (found.kind === 'unclear') return found;
    const own = notificationUrl();
    const payments = found.payments.filter(
      (each) => isAsExpected(expected, each) && !wasCreatedByUs(each, own),
    );
    return { kind: 'found' as const, payments };
  }

  function readingOf(request: PaymentRequest, scans: readonly Details[]): Reading {
    const all = scans.map((each) => factsOf(each, { source: 'query', atMs: now() }));
    if (all.some((facts) => facts === undefined)) {
      const statuses = scans.map(({ status }) => status).join(', ');
      return unclear(unexpectedAnswer(`one of these statuses is unknown: ${statuses}`).problem);
    }
    const facts = mergeFacts(
      [],
      all.flatMap((each) => each ?? []),
    );
    const held = scans.find(({ status }) => statusMeaning(status)?.proves.includes('authorized'));
    const { createdAt, status } = held ?? {};
    const terms = context.terms(request, {
      ...(createdAt !== undefined && { createdAt }),
      ...(status !== undefined && { status }),
    });
    const payer = held && payerOf(held);
    return { kind: 'found', facts, terms, ...(payer && { payer }) };
  }

  return {
    open,
    withdraw: (intent) => ({ kind: 'succeeded', value: null, facts: [stated('canceled', intent)] }),
    read,
  };
}

/** Whether a scan is one of this code: what the code left open may be anything. */
function isAsExpected(expected: Expectation, found: Details): boolean {
  const { amount } = amountsOf(found);
  const asked = expected.amount ?? money(amount.minor, 'EUR');
  const { reference, description } = expected;
  return (
    isSameMoney(asked, amount) &&
    (reference === undefined || found.reference === reference) &&
    (description === undefined || (found.description ?? description) === description)
  );
}

/**
 * A payment that we created carries the URL of its own; one that began with a scan has the
 * connection's, or whatever stands in the profile.
 */
function wasCreatedByUs({ creditor }: Details, own: string | undefined): boolean {
  const url = creditor?.callbackUrl;
  if (url === undefined || own === undefined || url === own) return false;
  return url.startsWith(own.slice(0, own.lastIndexOf('/') + 1));
}
