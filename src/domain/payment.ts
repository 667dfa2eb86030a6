import type { StatableFactKind } from './facts.js';
import type { OperationName, PaymentId } from './ids.js';
import type { AskedAmount, Money } from './money.js';
import type { Problem } from './problem.js';
import type { Amounts, Flag, PaymentStatus } from './reducer.js';

export const CAPTURE_MODES = ['automatic', 'manual'] as const;

/** `automatic`: captured as soon as it is authorized. `manual`: on request, by a deadline. */
export type CaptureMode = (typeof CAPTURE_MODES)[number];

export const DEADLINE_POLICIES = ['void', 'capture'] as const;

/** What becomes of held money on which nobody decided in time. */
export type DeadlinePolicy = (typeof DEADLINE_POLICIES)[number];

/** Options that only one provider knows; `provider` says whose. Checked by its adapter. */
export interface ProviderOptions {
  readonly provider: string;
  readonly [option: string]: unknown;
}

/** What a backend asks for. JSON, as it travels into the workflow. */
export interface PaymentRequest {
  /** Made and kept by the caller: a repeat with the same id is the same payment. */
  readonly paymentId: PaymentId;
  /** Which merchant account, at which provider. */
  readonly connectionId: string;
  readonly amount: AskedAmount;
  readonly captureMode: CaptureMode;
  /** The merchant's own reference, sent to the provider. */
  readonly merchantReference: string;
  /** Shown to the payer. */
  readonly description?: string;
  /** Where the payer's browser goes afterwards. */
  readonly returnUrl?: string;
  /** `manual` only: capture or lose it. ISO 8601. At most the provider's limit less a margin. */
  readonly captureBefore?: string;
  /** `manual` only: what happens to money that nobody decided on by then. `void` if absent. */
  readonly atDeadline?: DeadlinePolicy;
  /** `adopted`: nobody asked for it here; the provider told of it. */
  readonly origin?: 'adopted';
  /** When it was asked for. ISO 8601, UTC; set by the client. */
  readonly requestedAt: string;
  readonly options?: ProviderOptions;
}

/** What the payer has to do, in the form that suits the channel. */
export interface NextAction {
  readonly kind: 'redirect' | 'qr_code' | 'app_link' | 'form_post';
  /** Where to send the payer's browser (redirect, form_post) or app (app_link). */
  readonly url?: string;
  /** What the QR code says, and an image of it at the provider. */
  readonly qrCode?: { readonly content: string; readonly imageUrl?: string };
  /** Opens the payer's app on the same device. */
  readonly appLink?: string;
  /** form_post: the fields to post to `url`. */
  readonly fields?: Readonly<Record<string, string>>;
  /** ISO 8601; after it the payer can no longer act. */
  readonly expiresAt?: string;
}

/** What an attempt at an operation came to. */
export type OperationState =
  'sent' | 'unknown' | 'not_sent' | 'pending' | 'succeeded' | 'declined' | 'superseded';

/** One operation as recorded: its key stands here before anything is sent. */
export interface OperationRecord<Name extends string = OperationName> {
  readonly operation: Name;
  readonly sequence: number;
  readonly key: string;
  readonly state: OperationState;
  readonly amount?: Money;
  /** When its activity was scheduled. ISO 8601. */
  readonly intendedAt: string;
  readonly settledAt?: string;
  readonly problem?: Problem;
}

/** Why a person should look, since when. */
export interface Attention {
  readonly reason:
    | 'outcome_unknown'
    | 'amount_differs'
    | 'facts_contradict'
    | 'unexpected_authorization'
    | 'unexpected_capture'
    | 'capture_refused'
    | 'void_refused'
    | 'provider_silent';
  readonly since: string;
}

/**
 * What a person can do to a payment whose course has gone wrong.
 *
 * - `ask`: the provider is asked, and its answer believed.
 * - `state`: a fact that the person has evidence of.
 * - `retry`: an operation that was refused for good may be tried again.
 * - `dismiss`: it has been looked at and needs no attention.
 */
export type Repair =
  | { readonly kind: 'ask' }
  | { readonly kind: 'state'; readonly fact: StatedFact }
  | { readonly kind: 'retry'; readonly operation: Exclude<OperationName, 'create'> }
  | { readonly kind: 'dismiss' };

export const REPAIR_KINDS = [
  'ask',
  'state',
  'retry',
  'dismiss',
] as const satisfies readonly Repair['kind'][];

/** A fact as a person states it. Absent: the payment's own object, its whole amount, now. */
export interface StatedFact {
  readonly kind: StatableFactKind;
  readonly object?: string;
  readonly amount?: Money;
  /** ISO 8601. */
  readonly occurredAt?: string;
}

/** What a person does to a payment, and why. Argument of the update `repair`. */
export interface RepairCommand {
  readonly repair: Repair;
  /** Who. */
  readonly actor: string;
  readonly reason: string;
}

/** A repair as it was made, for those who ask later. */
export interface RepairRecord extends RepairCommand {
  /** ISO 8601. */
  readonly at: string;
  /** How many facts were known then. */
  readonly factCount: number;
}

/** A payment as everybody sees it: API, client, workflow query and store. */
export interface Payment {
  readonly paymentId: PaymentId;
  readonly connectionId: string;
  readonly merchantReference: string;
  readonly description?: string;
  readonly captureMode: CaptureMode;
  readonly status: PaymentStatus;
  readonly amounts: Amounts;
  /** The provider's id of the object that carries the payment. */
  readonly providerReference?: string;
  readonly nextAction?: NextAction;
  /** After it the payer can no longer act. ISO 8601. */
  readonly payerDeadline?: string;
  /** Our own deadline for a capture; past it the payment is voided. */
  readonly captureBefore?: string;
  /** Why it was declined, rejected or not started. */
  readonly problem?: Problem;
  readonly flags: readonly Flag[];
  readonly attention?: Attention;
  /** Since when an operation's outcome is unknown. */
  readonly unknownSince?: string;
  readonly operations: readonly OperationRecord[];
  /** What persons did to it, oldest first; absent if nothing. */
  readonly repairs?: readonly RepairRecord[];
  /** `adopted`: nobody asked for it here. */
  readonly origin?: 'adopted';
  /** Whether Holdfast has nothing left to do for it. Late facts may still resume it. */
  readonly ended: boolean;
  readonly requestedAt: string;
}
