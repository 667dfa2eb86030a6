/** Refunds at Payconiq: their creation (PCQ-11), and how one stands (PCQ-12). */
import type { NotSent, Outcome } from '../../domain/outcome.js';
import { isSameMoney, money, type Money } from '../../domain/money.js';
import { unexpectedAnswer, type Answer } from '../../transport/classify.js';
import { fittingKey } from '../../transport/digest.js';
import { redactText } from '../../transport/redact.js';
import type {
  ConnectionResources,
  RefundCapability,
  RefundIntent,
  RefundOpened,
  RefundRead,
  RefundReading,
} from '../provider.js';
import { refusalOf, withoutAsk, type CallApi } from './api.js';
import { REFUND_ERRORS, refundStanding } from './mapping.js';
import { PAYMENTS_PATH, pathPart, unanswered, unclear } from './reads.js';
import { checkRefund } from './rules.js';
import { parseBody, refundAnswer } from './wire.js';

/** @see payconiq.txt L11258 */
const MAX_KEY = 64;

/** @see payconiq.txt L11199-11494; for signed connections alone */
export function payconiqRefunds(
  { now, timing }: Pick<ConnectionResources, 'now' | 'timing'>,
  callApi: CallApi,
): RefundCapability {
  const deadline = (): number => now() + timing.providerTimeoutMs;

  async function send(intent: RefundIntent): Promise<Outcome<RefundOpened>> {
    const { amount, request } = intent;
    const answer = await callApi({
      method: 'POST',
      path: refundsPath(intent),
      idempotencyKey: fittingKey(intent.key, MAX_KEY),
      body: {
        amount: Number(amount.minor),
        currency: amount.currency,
        description: request.description,
      },
      size: 'refund',
      connection: 'fresh',
      deadlineMs: deadline(),
      latestWriteAtMs: intent.latestWriteAtMs,
    });
    if (answer.kind !== 'answered') return answer;
    if (answer.status === 201) return opened(intent, answer);
    const refusal = withoutAsk(refusalOf(answer, REFUND_ERRORS));
    return isForLater(refusal) ? { ...refusal, retryAfterMs: timing.nextDayMs } : refusal;
  }

  async function read(asked: RefundRead): Promise<RefundReading> {
    const answer = await callApi({
      method: 'GET',
      path: `${refundsPath(asked)}/${pathPart(asked.providerReference)}`,
      size: 'refund',
      connection: 'kept',
      deadlineMs: deadline(),
    });
    if (answer.kind !== 'answered') return unanswered(answer);
    return answer.status === 200 ? readingOf(asked, answer) : unread(answer);
  }

  return { check: checkRefund, operation: { recovery: 'repeat', send }, read };
}

function refundsPath({ paymentReference }: { readonly paymentReference: string }): string {
  return `${PAYMENTS_PATH}/${pathPart(paymentReference)}/refunds`;
}

/** The consumer's IBAN comes a day or two after the payment. @see payconiq.txt L11378-11379 */
function isForLater(outcome: Outcome): outcome is NotSent {
  return outcome.kind === 'not_sent' && outcome.cause === 'not_yet';
}

/** Documented to be PENDING always; a repeat may know more. Believed only if it is what we asked for. */
function opened(intent: RefundIntent, answer: Answer): Outcome<RefundOpened> {
  const told = parseBody(refundAnswer, answer.body);
  if (!told) return unexpectedAnswer('Payconiq answered 201 with a refund that does not parse');
  const { refundId, paymentId, status } = told;
  if (paymentId !== intent.paymentReference || !isSameMoney(amountOf(told), intent.amount)) {
    const what = 'of another payment or amount than was asked for';
    return unexpectedAnswer(`Payconiq answered 201 with refund ${redactText(refundId)} ${what}`);
  }
  const standing = refundStanding(status);
  if (!standing) {
    const refund = `refund ${redactText(refundId)}`;
    return unexpectedAnswer(`${refund} was made with the unknown status ${redactText(status)}`);
  }
  return { kind: 'succeeded', value: { providerReference: refundId, standing }, facts: [] };
}

function readingOf(asked: RefundRead, answer: Answer): RefundReading {
  const told = parseBody(refundAnswer, answer.body);
  const isOurs =
    told?.refundId === asked.providerReference && told.paymentId === asked.paymentReference;
  if (!told || !isOurs) return misread('with something else than the refund that was asked for');
  const standing = refundStanding(told.status);
  if (!standing) return misread(`with the unknown status ${redactText(told.status)}`);
  return { kind: 'found', standing, amount: amountOf(told) };
}

function misread(how: string): RefundReading {
  return unclear(unexpectedAnswer(`Payconiq answered 200 ${how}`).problem);
}

function unread(answer: Answer): RefundReading {
  const { problem } = refusalOf(answer, REFUND_ERRORS);
  const isAbsent = answer.status === 404 && problem.code === 'not_found';
  return { kind: isAbsent ? 'absent' : 'unclear', problem };
}

function amountOf(told: {
  readonly amount: number;
  readonly currency?: string | undefined;
}): Money {
  return money(told.amount, told.currency ?? 'EUR');
}
