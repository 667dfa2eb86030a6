/** Payments at Payconiq, put together: each way of creation with what can be done afterwards. */
import type { PaymentRequest } from '../../domain/payment.js';
import type { Terms } from '../../domain/terms.js';
import { unexpectedAnswer } from '../../transport/classify.js';
import {
  recoveriesOf,
  type ConnectionResources,
  type Opened,
  type Operation,
  type PaymentCapability,
  type ReadRequest,
  type Reading,
} from '../provider.js';
import type { CallApi } from './api.js';
import { payconiqCommands } from './commands.js';
import type { PayconiqSettings } from './config.js';
import type { KnownObject, PaymentsContext } from './context.js';
import { payconiqCreating } from './creating.js';
import { isPrinted, rulesOf } from './flavours.js';
import { factsOf, payerOf, type PayconiqStatus } from './mapping.js';
import { printedCodes } from './printed.js';
import { payconiqReads, unclear } from './reads.js';
import { checkPayment } from './rules.js';

const HOUR_MS = 3_600_000;
/** Debited, and waiting for the merchant's word. */
const HELD = 'PENDING_MERCHANT_ACKNOWLEDGEMENT' satisfies PayconiqStatus;

export function payconiqPayments(
  settings: PayconiqSettings,
  resources: ConnectionResources,
  callApi: CallApi,
): PaymentCapability {
  const { now, timing, notificationUrl } = resources;
  const reads = payconiqReads(resources, callApi);
  const deadline = (): number => now() + timing.providerTimeoutMs;
  const context: PaymentsContext = {
    ...{ settings, callApi, reads, now, deadline, notificationUrl },
    terms,
  };
  /** What waits for our acknowledge can be decided on, whether or not the profile has void support. */
  function terms(
    request: PaymentRequest,
    { createdAt, payerDeadline, status }: KnownObject,
  ): Terms {
    const isHeld = status === HELD;
    const hasDeadline = createdAt !== undefined && (settings.voidSupport || isHeld);
    return {
      ...(payerDeadline !== undefined && { payerDeadline: iso(payerDeadline) }),
      ...(hasDeadline && { captureDeadline: captureDeadline(settings, createdAt) }),
      recoveries: recoveriesOf(isHeld ? { ...operations, ...holding } : operations, request),
      partialCapture: false,
      ...(isHeld && { unexpectedAuthorization: settings.unexpectedAuthorization }),
    };
  }
  const creating = payconiqCreating(context);
  const printed = printedCodes(context);
  const commands = payconiqCommands(context);
  const isOnPaper = (request: PaymentRequest): boolean => isPrinted(rulesOf(settings, request));

  const create: Operation<Opened> = {
    recovery: 'reissue',
    recoveryFor: (request) => rulesOf(settings, request).recovery,
    send: async (intent) =>
      isOnPaper(intent.request) ? printed.open(intent) : creating.send(intent),
    async find(intent) {
      const rules = rulesOf(settings, intent.request);
      if (!isPrinted(rules)) {
        return rules.recovery === 'fetch'
          ? creating.findOnSticker(intent)
          : creating.findUnseen(intent);
      }
      const outcome = printed.open(intent);
      return outcome.kind === 'succeeded'
        ? { kind: 'settled', outcome }
        : unclear(unexpectedAnswer('a printed code that was checked cannot be made').problem);
    },
  };

  const cancel: Operation = {
    recovery: 'fetch',
    send: async (intent) =>
      isOnPaper(intent.request) ? printed.withdraw(intent) : commands.cancel.send(intent),
    find: async (intent) =>
      isOnPaper(intent.request)
        ? { kind: 'settled', outcome: printed.withdraw(intent) }
        : commands.cancel.find(intent),
  };

  async function read(asked: ReadRequest): Promise<Reading> {
    const { request, providerReference = '' } = asked;
    if (isOnPaper(request)) return printed.read(asked);
    const current = await reads.details(providerReference, deadline());
    if (current.kind !== 'found') return current;
    const { status, createdAt, expireAt } = current.details;
    const facts = factsOf(current.details, { source: 'query', atMs: now() });
    if (!facts) return unclear(unexpectedAnswer(`unknown status ${status}`).problem);
    const payer = payerOf(current.details);
    const known = { createdAt, payerDeadline: expireAt, status };
    return { kind: 'found', facts, terms: terms(request, known), ...(payer && { payer }) };
  }

  const holding = { capture: commands.capture, void: commands.void };
  const operations = { create, cancel, ...(settings.voidSupport && holding) };
  return {
    check: (request) => checkPayment(settings, request),
    operations,
    ...(!settings.voidSupport && { ifHeld: holding }),
    read,
    search: reads.search,
    refundIban: reads.refundIban,
  };
}

function captureDeadline(settings: PayconiqSettings, createdAt: string): string {
  return iso(Date.parse(createdAt) + settings.acknowledgeWindowHours * HOUR_MS);
}

function iso(time: string | number): string {
  return new Date(time).toISOString();
}
