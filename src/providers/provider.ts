/**
 * The contract between Holdfast and a provider. An adapter is one folder that exports a
 * {@link ProviderModule}; what it or a connection cannot do is absent from its objects.
 */
import type { z } from 'zod';
import type { Fact } from '../domain/facts.js';
import type { LoyaltyMember, LoyaltyResult } from '../domain/loyalty.js';
import type { Money } from '../domain/money.js';
import type { OperationName, OperationRef, PaymentId, RefundId } from '../domain/ids.js';
import type { Outcome } from '../domain/outcome.js';
import type { PayerData } from '../domain/payer.js';
import type { NextAction, PaymentRequest } from '../domain/payment.js';
import type { Checked, Problem, Violation } from '../domain/problem.js';
import type { DayRange, ReportedLine, ReportedPayout } from '../domain/report.js';
import type { RefundRequest, RefundStanding } from '../domain/refund.js';
import type { Expectation, Subject } from '../domain/subject.js';
import type { Recovery, Terms } from '../domain/terms.js';
import type { Timing } from '../domain/timing.js';
import type { HttpClient } from '../transport/http.js';
import type { PublicJwk } from '../transport/jws.js';

/** One provider: its name, the settings a connection to it needs, and how to make one. */
export interface ProviderModule<Settings = unknown> {
  readonly name: string;
  /** Settings as configured, secrets already read. */
  readonly settings: z.ZodType<Settings>;
  /**
   * Settings that are secrets, as dotted paths (`*` for each entry of a list): never written inline,
   * shown or logged.
   */
  readonly secretSettings: readonly string[];
  /** Addresses this connection may call; no other is ever contacted. */
  origins(settings: Settings): readonly string[];
  connect(settings: Settings, resources: ConnectionResources): Connection;
}

/** What an adapter gets from outside. It takes nothing from the environment. */
export interface ConnectionResources {
  readonly connectionId: string;
  readonly http: HttpClient;
  readonly timing: Timing;
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * The unguessable URL for notifications about one payment, or without one for those about objects
   * that began without us; absent if none is configured.
   */
  notificationUrl(paymentId?: PaymentId): string | undefined;
}

/** One configured merchant account at a provider. */
export interface Connection {
  readonly id: string;
  readonly provider: string;
  readonly payments?: PaymentCapability;
  readonly refunds?: RefundCapability;
  readonly reports?: ReportCapability;
  readonly notifications?: NotificationCapability;
  readonly codes?: CodeCapability;
  readonly statements?: StatementCapability;
  readonly loyalty?: LoyaltyCapability;
  /**
   * Our own keys, by which the provider verifies what we sign: served to everybody. Needs nothing
   * but the settings, and answers whatever else is away.
   */
  publicKeys?(): Promise<KeySet>;
  /**
   * The end of a planned downtime of the provider, if one is under way at this time. Both in epoch
   * milliseconds. Its silence meanwhile is no alarm.
   */
  silentUntil?(nowMs: number): number | undefined;
}

/** A JSON Web Key Set (RFC 7517): public members alone. */
export interface KeySet {
  readonly keys: readonly PublicJwk[];
}

export interface PaymentCapability {
  /** Checks a request against the provider's and the connection's rules. Pure; empty if fine. */
  check(request: PaymentRequest): readonly Violation[];
  /** The operations this connection has, each with the way a lost answer is settled. */
  readonly operations: {
    readonly create: Operation<Opened>;
    readonly capture?: Operation;
    readonly void?: Operation;
    readonly cancel?: Operation;
  };
  /** What can be done if money is held after all, where the connection holds none as a rule. */
  readonly ifHeld?: { readonly capture: Operation; readonly void: Operation };
  /** Asks for the truth about one payment. Moves no money, may be repeated at will. */
  read(asked: ReadRequest): Promise<Reading>;
  /** Lists payments at the provider, newest first. Moves no money. */
  search?(filter: SearchFilter): Promise<SearchResult>;
  /**
   * The payer's account number, for a transfer of the caller's own. Moves no money. Personal data:
   * told to whoever asked, never stored and never logged.
   */
  refundIban?(providerReference: string): Promise<RefundIban>;
}

/** What a creation gives: the provider's id, what the payer has to do, and the terms. */
export interface Opened {
  /** Absent where nothing was made at the provider: what is `expects` begins there without us. */
  readonly providerReference?: string;
  readonly expects?: Expectation;
  readonly nextAction?: NextAction;
  readonly terms: Terms;
}

/**
 * How a lost answer is settled.
 *
 * - `repeat`: the provider deduplicates, or the call is idempotent: send the same again.
 * - `fetch`: `find` looks for evidence; its `absent` is proof only after the settling delay.
 * - `wait`: only a notification, a report or a person can tell.
 * - `reissue`: a creation that nobody can pay without the link that never reached us: `find` adopts
 *   it where it can be proven ours, else it may be made again.
 */
export type Operation<Value = null, Asked = Intent> =
  | { readonly recovery: 'repeat' | 'wait'; readonly send: Send<Value, Asked> }
  | {
      readonly recovery: 'fetch' | 'reissue';
      /** Where it depends on what is asked for; `recovery` is then the usual one. */
      readonly recoveryFor?: (request: PaymentRequest) => 'fetch' | 'reissue';
      readonly send: Send<Value, Asked>;
      readonly find: Find<Value, Asked>;
    };

/** Sends once, never twice: build → send → parse. Never throws for what the wire did. */
export type Send<Value, Asked = Intent> = (intent: Asked) => Promise<Outcome<Value>>;

/**
 * Looks for what became of an intent. Of a creation that can be paid without its answer, it takes
 * away what nobody has paid yet before it calls it absent.
 */
export type Find<Value, Asked = Intent> = (intent: Asked) => Promise<Evidence<Value>>;

/** An operation to be sent, or one that was and whose answer is missing. */
export interface Intent extends OperationRef {
  readonly request: PaymentRequest;
  /** The same over every repeat. See `operationKey`. */
  readonly key: string;
  /** Absent for `create` and `cancel` where the payer chooses the amount. */
  readonly amount?: Money;
  /** Of `amount`, what the payer added on top. */
  readonly tip?: Money;
  /** Absent for `create`. */
  readonly providerReference?: string;
  /** Epoch milliseconds when the sending was ordered. */
  readonly intendedAtMs: number;
  /** Epoch milliseconds; past it nothing may be written to the wire any more. */
  readonly latestWriteAtMs: number;
}

export type Evidence<Value> =
  | { readonly kind: 'settled'; readonly outcome: Extract<Outcome<Value>, { facts: unknown }> }
  /** No trace of it. Proof only once the settling delay has passed. */
  | { readonly kind: 'absent' }
  /** The provider could not tell now. */
  | { readonly kind: 'unclear'; readonly problem: Problem; readonly retryAfterMs?: number };

/** Sends captured money back to the payer. */
export interface RefundCapability {
  /** Checks a refund against the provider's rules. Pure; empty if fine. */
  check(request: RefundRequest): readonly Violation[];
  /** Its facts stay empty: what a standing proves is derived from it. */
  readonly operation: Operation<RefundOpened, RefundIntent>;
  /** Asks how a refund stands. Moves no money, may be repeated at will. */
  read(asked: RefundRead): Promise<RefundReading>;
}

/** The provider's id of a refund, and how it stands. */
export interface RefundOpened {
  readonly providerReference: string;
  readonly standing: RefundStanding;
}

/** A refund to be sent, or one that was and whose answer is missing. */
export interface RefundIntent {
  readonly refundId: RefundId;
  readonly sequence: number;
  /** The same over every repeat. See `refundKey`. */
  readonly key: string;
  readonly request: RefundRequest;
  readonly amount: Money;
  /** The provider's id of the object that is refunded. */
  readonly paymentReference: string;
  /** As in {@link Intent}. */
  readonly intendedAtMs: number;
  readonly latestWriteAtMs: number;
}

export interface RefundRead {
  readonly paymentReference: string;
  readonly providerReference: string;
}

export type RefundReading =
  | { readonly kind: 'found'; readonly standing: RefundStanding; readonly amount: Money }
  | { readonly kind: 'absent'; readonly problem: Problem }
  | { readonly kind: 'unclear'; readonly problem: Problem; readonly retryAfterMs?: number };

/** What the provider reports, day by day, of what it moved and paid out. */
export interface ReportCapability {
  /** Where the provider's business days begin and end: an IANA time zone. */
  readonly timeZone: string;
  /** Local time from which a day's successor has its report complete: `HH:MM`. */
  readonly completeAt: string;
  /** The most days that one request's range may have, its first and its last both counted. */
  readonly maxDays: number;
  /** What can be asked for; without `payouts`, nobody tells when money reaches the merchant. */
  readonly kinds: readonly ReportKind[];
  /**
   * One page of a report. Moves no money, may be repeated at will. Complete or `unclear`: a row that
   * cannot be read makes its page unclear, and its problem names the row and the field.
   *
   * @throws RangeError for a range that is none or has more than `maxDays` days, and for a cursor
   *   that is not of this report
   */
  page(asked: ReportRequest): Promise<ReportPage>;
}

export type ReportKind = 'payouts' | 'payments' | 'refunds';

export type ReportRequest = PayoutsRequest | LinesRequest;

/** Payouts, by the days they are dated: one alone cannot be asked for. */
export interface PayoutsRequest extends FromCursor {
  readonly kind: 'payouts';
  readonly by: { readonly days: DayRange };
}

/** Payments or refunds, by business days or by the payout they are in. */
export interface LinesRequest extends FromCursor {
  readonly kind: 'payments' | 'refunds';
  readonly by: { readonly days: DayRange } | { readonly payoutReference: string };
}

interface FromCursor {
  /** The `nextCursor` of the page before; absent for the first. */
  readonly cursor?: string;
}

export type ReportPage =
  | {
      readonly kind: 'found';
      /** Of kind `payouts` only. */
      readonly payouts: readonly ReportedPayout[];
      /** Of the other kinds. */
      readonly lines: readonly ReportedLine[];
      /** Absent on the last page, and only there: a page without rows may be followed by others. */
      readonly nextCursor?: string;
    }
  /** The provider knows no such payout. */
  | { readonly kind: 'absent'; readonly problem: Problem }
  | { readonly kind: 'unclear'; readonly problem: Problem; readonly retryAfterMs?: number };

export interface ReadRequest {
  readonly request: PaymentRequest;
  /** Absent where none is known: then it is looked for by what the request expects. */
  readonly providerReference?: string;
}

export type Reading =
  | {
      readonly kind: 'found';
      readonly facts: readonly Fact[];
      readonly terms: Terms;
      /** Goes to the store and nowhere else. */
      readonly payer?: PayerData;
    }
  | { readonly kind: 'absent'; readonly problem: Problem }
  | { readonly kind: 'unclear'; readonly problem: Problem; readonly retryAfterMs?: number };

export type RefundIban =
  | { readonly kind: 'found'; readonly iban: string }
  /** `not_yet`: later perhaps. `refused`: never. `absent`: no such payment at the provider. */
  | { readonly kind: 'not_yet' | 'refused' | 'absent'; readonly problem: Problem }
  | { readonly kind: 'unclear'; readonly problem: Problem; readonly retryAfterMs?: number };

export interface SearchFilter {
  readonly reference?: string;
  /** The provider's own words for statuses. */
  readonly providerStatuses?: readonly string[];
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** From 0. */
  readonly page: number;
  readonly pageSize: number;
}

export type SearchResult =
  | {
      readonly kind: 'found';
      readonly payments: readonly FoundPayment[];
      readonly totalPayments: number;
      readonly totalPages: number;
    }
  | { readonly kind: 'unclear'; readonly problem: Problem };

/** A payment as the provider tells it, without personal data. */
export interface FoundPayment extends Subject {
  readonly providerReference: string;
  readonly providerStatus: string;
  readonly total: Money;
  /** What the bank statement calls it, where the provider tells. */
  readonly endToEndId?: string;
  readonly facts: readonly Fact[];
}

export interface NotificationCapability {
  /** The provider's success answer; most want exactly this status and an empty body. */
  readonly successStatus: number;
  readonly maxBytes: number;
  /** Verifies and translates one notification. Changes nothing. Never throws. */
  receive(notification: RawNotification): Promise<Receipt>;
}

export interface RawNotification {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** Of the URL it was posted to: whom we said to wake. Absent at the connection's own URL. */
  readonly paymentId?: PaymentId;
}

export type Receipt =
  /** Signed and unambiguous: believed. */
  | {
      readonly kind: 'facts';
      readonly eventId: string;
      readonly providerReference: string;
      readonly facts: readonly Fact[];
      readonly subject?: Subject;
      /** Goes to the store and nowhere else. */
      readonly payer?: PayerData;
    }
  /** Not to be believed, or not understood: a reason to ask. */
  | { readonly kind: 'hint'; readonly eventId: string; readonly providerReference?: string }
  /** Proven not to be from the provider. */
  | { readonly kind: 'forged'; readonly reason: string }
  /** We cannot tell now; the provider should repeat it. */
  | { readonly kind: 'unverifiable'; readonly reason: string };

/** Codes that the merchant prints: nothing is sent, the payer's scan begins the payment. Pure. */
export interface CodeCapability {
  /** What a code says. `asked` is the provider's own: a `kind`, and what that kind takes. */
  build(asked: unknown): Checked<PrintableCode>;
  /** Draws a code of this connection, and refuses to draw anything else. */
  image(content: string, style: CodeStyle): Checked<CodeImage>;
}

export interface PrintableCode {
  /** What the code says: a URL. */
  readonly content: string;
  /** Where the provider draws it. */
  readonly imageUrl: string;
  /** Opens the provider's app on a phone, where this kind of code may be sent as a link. */
  readonly appLink?: string;
}

/** In the provider's words; what is absent is left to its defaults. */
export interface CodeStyle {
  readonly format?: string;
  readonly size?: string;
  readonly colour?: string;
}

export interface CodeImage {
  readonly bytes: Uint8Array;
  /** A media type. */
  readonly contentType: string;
}

/** What the provider writes on bank statements. Pure. */
export interface StatementCapability {
  /** Undefined for what is not the provider's, or cannot be read without guessing. */
  read(entry: StatementEntry): StatementLine | undefined;
  /** The text as the provider writes it. */
  write(line: StatementLine): Checked<string>;
}

/** One entry of a bank statement. */
export interface StatementEntry {
  /** The remittance information, quotes taken off. */
  readonly text: string;
  /** The bank's end-to-end reference. */
  readonly endToEndId?: string;
  /** Whose account it is; `merchant` unless said otherwise. */
  readonly account?: 'merchant' | 'partner';
}

export type StatementLine =
  /** One payment. On a partner's account the payee is its sub-merchant. */
  | (OneMovement & { readonly kind: 'payment' | 'partner_payment' })
  /** One refund, on the payer's statement. */
  | (OneMovement & { readonly kind: 'refund' })
  /** A payment of an invoice, by its structured communication alone. */
  | {
      readonly kind: 'structured_invoice';
      readonly communication: string;
      readonly endToEndId?: string;
    }
  /** Many payments in one sum. */
  | {
      readonly kind: 'bulk_payout';
      /** When the payments were made, `YYYY-MM-DD` where the provider is. */
      readonly businessDate: string;
      readonly endToEndId: string;
      readonly bulkId?: string;
      /** The provider's id of the merchant. */
      readonly merchantId: string;
    };

interface OneMovement {
  /** The provider's id of the payment or refund. */
  readonly providerReference: string;
  /** Who was paid, as the statement has it. */
  readonly payee: string;
  readonly reference?: string;
  readonly description?: string;
  /** As the bank told it; not part of the text. */
  readonly endToEndId?: string;
}

/** The door of a loyalty scheme of ours: the provider registers payments of its members there. */
export interface LoyaltyCapability {
  readonly maxBytes: number;
  /** Verifies and translates one registration. Changes nothing. Never throws. */
  receive(registration: RawRegistration): Promise<LoyaltyReceipt>;
  /** The provider's success answer once the registration is kept; with a result, once it is done. */
  answer(result?: LoyaltyResult): { readonly status: number; readonly body: object };
}

export interface RawRegistration {
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
  /** It was posted to, as we gave it out; absent if none is configured. */
  readonly url: string | undefined;
}

export type LoyaltyReceipt =
  | {
      readonly kind: 'registration';
      /** Of the payment. */
      readonly providerReference: string;
      /** Goes to the store, sealed, and nowhere else. */
      readonly member: LoyaltyMember;
      readonly amount: Money;
      /** By which the provider proved it. */
      readonly signature: string;
    }
  /** The provider's, but not as its document has it. */
  | { readonly kind: 'invalid'; readonly violations: readonly Violation[] }
  /** The provider's, but about another account than this connection's. */
  | { readonly kind: 'foreign'; readonly reason: string }
  /** As in {@link Receipt}. */
  | { readonly kind: 'forged' | 'unverifiable'; readonly reason: string };

/** A provider without its settings' type, as the registry keeps it. */
export interface AnyProvider {
  readonly name: string;
  readonly secretSettings: readonly string[];
  /** Checks settings whose secrets have been read; every problem at once. */
  configure(
    settings: unknown,
  ): ConfiguredConnection | { readonly violations: readonly Violation[] };
}

export interface ConfiguredConnection {
  readonly origins: readonly string[];
  connect(resources: ConnectionResources): Connection;
}

/** Makes a provider ready for the registry. */
export function defineProvider<Settings>(module: ProviderModule<Settings>): AnyProvider {
  return {
    name: module.name,
    secretSettings: module.secretSettings,
    configure(raw) {
      const parsed = module.settings.safeParse(raw);
      if (!parsed.success) return { violations: violationsOf(parsed.error) };
      const settings = parsed.data;
      return {
        origins: module.origins(settings),
        connect: (resources) => module.connect(settings, resources),
      };
    },
  };
}

/** What a schema found wrong, each under its own field. Values are left out: they may be secrets. */
export function violationsOf(
  error: { readonly issues: readonly z.core.$ZodIssue[] },
  under: readonly string[] = [],
): readonly Violation[] {
  return error.issues.flatMap((issue) => {
    const path = [...under, ...issue.path];
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ field: [...path, key].join('.'), rule: 'is not known' }))
      : [{ field: path.join('.'), rule: issue.message }];
  });
}

/** How a lost answer to this request is settled. */
export function recoveryOf<Value>(operation: Operation<Value>, request: PaymentRequest): Recovery {
  const { recoveryFor } = 'find' in operation ? operation : {};
  return recoveryFor?.(request) ?? operation.recovery;
}

/** The operations' recoveries by name: those of one request, or the usual ones. */
export function recoveriesOf(
  operations: PaymentCapability['operations'],
  request?: PaymentRequest,
): Terms['recoveries'] {
  const offered = Object.entries(operations) as [OperationName, Operation<unknown>][];
  return Object.fromEntries(
    offered.map(([name, operation]) => [
      name,
      request ? recoveryOf(operation, request) : operation.recovery,
    ]),
  );
}
