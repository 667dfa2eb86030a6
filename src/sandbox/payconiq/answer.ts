import { randomToken, sha256Hex } from '../../transport/digest.js';

/** An HTTP answer before it is written. An object is sent as JSON, a string as it is. */
export interface Answer {
  readonly status: number;
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every code that is named for payments, with the status it comes with. @see payconiq.txt L707-725 */
export const ERROR_STATUS = {
  BODY_MISSING: 400,
  FIELD_REQUIRED: 400,
  FIELD_IS_REQUIRED: 400,
  FIELD_IS_INVALID: 400,
  UNAUTHORIZED: 401,
  ACCESS_DENIED: 403,
  CALLER_NOT_ALLOWED_TO_CANCEL: 403,
  PAYMENT_NOT_FOUND: 404,
  MERCHANT_PROFILE_NOT_FOUND: 404,
  PAYMENT_NOT_PENDING: 422,
  PAYMENT_VOIDED: 422,
  PAYMENT_CONFLICT: 422,
  REFUND_NOT_ALLOWED: 422,
  REFUND_NOT_AVAILABLE: 422,
  QR_NO_LONGER_IN_USE: 422,
  UNABLE_TO_PAY_CREDITOR: 422,
  TRY_AGAIN_LATER: 503,
  TECHNICAL_ERROR: 500,
} as const satisfies Record<string, number>;
export type ErrorCode = keyof typeof ERROR_STATUS;

/** What the refunds' and the payouts' operations add. @see payconiq.txt L11325-11380, L10731-10750 */
export const FURTHER_ERROR_STATUS = {
  VALIDATION_ERROR: 400,
  BAD_REQUEST: 400,
  REFUND_NOT_FOUND: 404,
  PAYOUT_NOT_FOUND: 404,
  PAYMENT_FOR_REFUND_NOT_FOUND: 422,
  INVALID_REFUND_AMOUNT: 422,
  REFUND_NOT_POSSIBLE: 422,
  DEBTOR_IBAN_NOT_AVAILABLE: 422,
  REFUND_REQUEST_CONFLICT: 422,
} as const satisfies Record<string, number>;
/** Of any operation. */
export type AnyErrorCode = ErrorCode | keyof typeof FURTHER_ERROR_STATUS;

export const STATUS_OF_ERROR: Readonly<Record<AnyErrorCode, number>> = {
  ...ERROR_STATUS,
  ...FURTHER_ERROR_STATUS,
};

/** A refusal with one of the document's codes. Thrown by the operations, answered by the server. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: AnyErrorCode;

  constructor(code: AnyErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function errorAnswer(code: AnyErrorCode, message: string): Answer {
  return { status: STATUS_OF_ERROR[code], body: errorBody(code, message) };
}

/** `{ traceId, spanId, code, message }`. @see payconiq.txt L1129-1135 */
export function errorBody(code: string, message: string): object {
  const ids = sha256Hex(randomToken(16));
  return { traceId: ids.slice(0, 16), spanId: ids.slice(16, 32), code, message };
}

/** A failure of the server itself: 500 has a code, other statuses have none. */
export function failureAnswer(status: number): Answer {
  if (status === 500) return errorAnswer('TECHNICAL_ERROR', 'Technical error');
  return { status, body: 'Service Unavailable', headers: { 'content-type': 'text/plain' } };
}

/** The bytes of an answer's body and the headers that describe them. */
export function encodeAnswer(answer: Answer): { body: Buffer; headers: Record<string, string> } {
  const { body: content, headers = {} } = answer;
  if (content === undefined) return { body: Buffer.alloc(0), headers: { ...headers } };
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return { body: Buffer.from(text), headers: { 'content-type': 'application/json', ...headers } };
}
