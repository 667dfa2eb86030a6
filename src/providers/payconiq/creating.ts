/** Creations at Payconiq (PCQ-01 to PCQ-04), and what became of those whose answer was lost. */
import { fact, mergeFacts } from '../../domain/facts.js';
import type { Outcome } from '../../domain/outcome.js';
import type { PaymentRequest } from '../../domain/payment.js';
import { unexpectedAnswer, type Answer } from '../../transport/classify.js';
import type { Evidence, Find, Intent, Opened, Send } from '../provider.js';
import { refusalOf, withoutAsk } from './api.js';
import type { PaymentsContext } from './context.js';
import { buildCreate, nextActionOf } from './creation.js';
import { flavourRules, optionsOf, type PayconiqOptions } from './flavours.js';
import { amountsOf, factsOf, statusMeaning } from './mapping.js';
import {
  PAYMENTS_PATH,
  pathPart,
  searchSince,
  unclear,
  type Current,
  type Unclear,
} from './reads.js';
import { createAnswer, parseBody, type CreateAnswer, type Details } from './wire.js';

interface Creating {
  readonly send: Send<Opened>;
  /** Where nobody can pay without the link: adopted if proven ours, else it may be made again. */
  readonly findUnseen: Find<Opened>;
  /** Where anybody at the sticker can pay: settled if paid, else taken away before another. */
  readonly findOnSticker: Find<Opened>;
}

export function payconiqCreating(context: PaymentsContext): Creating {
  const { settings, callApi, reads, now, deadline, notificationUrl } = context;

  const send: Send<Opened> = async (intent) => {
    const options = optionsOf(settings, intent.request);
    const { path = PAYMENTS_PATH } = flavourRules(options.flavour);
    const answer = await callApi({
      method: 'POST',
      path,
      body: buildCreate(intent.request, options, notificationUrl(intent.paymentId)),
      size: 'payment',
      connection: 'fresh',
      deadlineMs: deadline(),
      latestWriteAtMs: intent.latestWriteAtMs,
    });
    return answer.kind === 'answered' ? parseCreated(intent, answer) : answer;
  };

  function parseCreated(intent: Intent, answer: Answer): Outcome<Opened> {
    if (answer.status !== 201) return withoutAsk(refusalOf(answer));
    const created = parseBody(createAnswer, answer.body);
    if (!created) return unexpectedAnswer('Payconiq answered 201 with a body that does not parse');
    return opened(intent, { ...created, payerDeadline: created.expiresAt }, 'answer');
  }

  function opened(
    { request }: Intent,
    created: Pick<CreateAnswer, 'paymentId' | 'createdAt' | '_links'> & { payerDeadline: string },
    source: 'answer' | 'query',
  ): Outcome<Opened> & { kind: 'succeeded' } {
    const { paymentId: object, createdAt } = created;
    const occurredAt = new Date(createdAt).toISOString();
    const asked = { request, options: optionsOf(settings, request) };
    return {
      kind: 'succeeded',
      value: {
        providerReference: object,
        nextAction: nextActionOf(settings, asked, created),
        terms: context.terms(request, created),
      },
      facts: [fact({ kind: 'created', object, occurredAt, source })],
    };
  }

  function adopted(intent: Intent, found: Details): Evidence<Opened> & { kind: 'settled' } {
    const outcome = opened(intent, { ...found, payerDeadline: found.expireAt }, 'query');
    const facts = mergeFacts(outcome.facts, known(found));
    return { kind: 'settled', outcome: { ...outcome, facts } };
  }

  const known = (found: Details) => factsOf(found, { source: 'query', atMs: now() }) ?? [];

  function searchedSince({ request, intendedAtMs }: Intent, deadlineMs: number) {
    const range = searchSince(intendedAtMs, now());
    return reads.all({ reference: request.merchantReference, ...range }, deadlineMs);
  }

  /**
   * A lost creation is ours for certain only if it carries the URL we gave to this payment alone.
   * Without the checkout link, a payment that needs it is made again rather than adopted.
   */
  const findUnseen: Find<Opened> = async (intent) => {
    const ours = notificationUrl(intent.paymentId);
    if (ours === undefined) return { kind: 'absent' };
    const found = await searchedSince(intent, deadline());
    if (found.kind === 'unclear') return found;
    const mine = found.payments.filter((each) => each.creditor?.callbackUrl === ours);
    const options = optionsOf(settings, intent.request);
    const usable = mine.find((each) => isAdoptable(intent.request, options, each));
    return usable ? adopted(intent, usable) : { kind: 'absent' };
  };

  /** One deadline for all its calls: what it writes late could meet a payment that is paid by then. */
  const findOnSticker: Find<Opened> = async (intent) => {
    const deadlineMs = deadline();
    const found = await searchedSince(intent, deadlineMs);
    if (found.kind === 'unclear') return found;
    const ours = notificationUrl(intent.paymentId);
    const ended: Details[] = [];
    for (const each of found.payments.filter((one) => isLost(intent.request, one, ours))) {
      const end = await takenAway(each, deadlineMs);
      if (end.kind === 'unclear') return end;
      ended.push(end.details);
    }
    const [paid] = ended.filter(holdsMoney).toSorted(byMoney);
    if (!paid) return { kind: 'absent' };
    const evidence = adopted(intent, paid);
    const { outcome } = evidence;
    const facts = ended.flatMap(known);
    return { kind: 'settled', outcome: { ...outcome, facts: mergeFacts(outcome.facts, facts) } };
  };

  /** How it stands once it can no longer be paid. */
  async function takenAway(
    found: Details,
    deadlineMs: number,
  ): Promise<Extract<Current, { kind: 'found' }> | Unclear> {
    if (hasEnded(found)) return { kind: 'found', details: found };
    if (statusMeaning(found.status)?.isReleasable) {
      await callApi({
        method: 'DELETE',
        path: `${PAYMENTS_PATH}/${pathPart(found.paymentId)}`,
        size: 'payment',
        connection: 'fresh',
        deadlineMs,
        latestWriteAtMs: deadlineMs,
      });
    }
    const current = await reads.details(found.paymentId, deadlineMs);
    if (current.kind !== 'found') return unclear(current.problem);
    if (hasEnded(current.details)) return current;
    const { status } = current.details;
    const message = `a lost creation is ${status} on the sticker, and can still be paid`;
    return unclear({ code: 'no_answer', providerCode: status, message });
  }

  return { send, findUnseen, findOnSticker };
}

/** Whether a payment is the one that this request lost. */
function isLost(request: PaymentRequest, found: Details, ours: string | undefined): boolean {
  const { callbackUrl } = found.creditor ?? {};
  if (ours !== undefined) return callbackUrl === ours;
  return callbackUrl === undefined && isOfAmount(request, found);
}

function isOfAmount({ amount }: PaymentRequest, found: Details): boolean {
  const { minor, currency } = amountsOf(found).amount;
  return minor === amount.minor && currency === amount.currency;
}

function holdsMoney({ status }: Details): boolean {
  return statusMeaning(status)?.proves.includes('authorized') ?? false;
}

/** Nothing can be taken away any more, or must not be: it is paid. */
function hasEnded(found: Details): boolean {
  return (statusMeaning(found.status)?.isFinal ?? false) || holdsMoney(found);
}

/** What still holds money before what was given back. */
function byMoney(a: Details, b: Details): number {
  const rank = ({ status }: Details): number => (status === 'VOIDED' ? 1 : 0);
  return rank(a) - rank(b);
}

function isAdoptable(request: PaymentRequest, options: PayconiqOptions, found: Details): boolean {
  const meaning = statusMeaning(found.status);
  const opensApp = options.flavour === 'app' && !options.fallbackPage;
  const hasLink =
    request.returnUrl === undefined || opensApp || found._links?.checkout !== undefined;
  const isUsable = meaning !== undefined && !meaning.isFinal && hasLink;
  return isOfAmount(request, found) && (holdsMoney(found) || isUsable);
}
