import { ApiError } from './answer.js';
import type { AnyErrorCode } from './answer.js';
import { PAYMENT_STATUSES } from './payment.js';
import type { PaymentRequest, PaymentStatus } from './payment.js';

const DAY_MS = 86_400_000;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(?:Z|[+-]\d\d:?\d\d)$/;
const DEFAULT_PAGE_SIZE = 50;

/** What is wrong with a value that is present; undefined when nothing is. */
type Rule = (value: unknown) => string | undefined;
interface Field {
  readonly rule: Rule;
  readonly isRequired?: true;
}
type Fields = Readonly<Record<string, Field>>;

const text =
  (max: number, min = 0): Rule =>
  (value) =>
    typeof value === 'string' && value.length >= min && value.length <= max
      ? undefined
      : `must be a text of ${min} to ${max} characters`;
const oneOf =
  (...allowed: string[]): Rule =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
      ? undefined
      : `must be one of ${allowed.join(', ')}`;
const cents: Rule = (value) =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 999_999
    ? undefined
    : 'must be an integer from 1 to 999999';
const url =
  (protocols: readonly string[]): Rule =>
  (value) =>
    typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol)
      ? undefined
      : `must be a URL (${protocols.join(' ')})`;
const dateTime: Rule = (value) =>
  typeof value === 'string' && DATE_TIME.test(value) && !Number.isNaN(Date.parse(value))
    ? undefined
    : 'must be formatted as YYYY-MM-ddTHH:mm:ss.SSSZ';
const statuses: Rule = (value) =>
  Array.isArray(value) &&
  value.every((status) => PAYMENT_STATUSES.includes(status as PaymentStatus))
    ? undefined
    : 'must be a list of payment statuses';

const SUB_MERCHANT = {
  subMerchantId: { rule: text(36, 1), isRequired: true },
  name: { rule: text(22, 1), isRequired: true },
  naceCode: { rule: text(255) },
  mcc: { rule: text(4, 4) },
} as const satisfies Fields;

const subMerchant: Rule = (value) => {
  if (!isObject(value)) return 'must be an object';
  checkFields(value, SUB_MERCHANT, 'subMerchant.');
  return undefined;
};

const COMMON = {
  amount: { rule: cents, isRequired: true },
  currency: { rule: oneOf('EUR') },
  description: { rule: text(140) },
  reference: { rule: text(35) },
  bulkId: { rule: text(35) },
} as const satisfies Fields;

/** Each path's own fields beside the common ones; unknown fields are ignored. */
const CREATE_FIELDS = {
  payments: { returnUrl: { rule: text(2048) } },
  pos: {
    posId: { rule: text(36, 1), isRequired: true },
    shopId: { rule: text(36) },
    shopName: { rule: text(36) },
  },
  subMerchant: {
    country: { rule: oneOf('NLD', 'BEL', 'LUX'), isRequired: true },
    paymentChannel: { rule: oneOf('INSTORE', 'ONLINE'), isRequired: true },
    posId: { rule: text(36, 1) },
    returnUrl: { rule: text(2048) },
    subMerchant: { rule: subMerchant, isRequired: true },
  },
} as const satisfies Record<string, Fields>;
export type CreateForm = keyof typeof CREATE_FIELDS;

const ACKNOWLEDGE_FIELDS = {
  amount: COMMON.amount,
  currency: COMMON.currency,
  reference: COMMON.reference,
} as const satisfies Fields;

const REFUND_FIELDS = {
  amount: COMMON.amount,
  currency: COMMON.currency,
  description: COMMON.description,
} as const satisfies Fields;
const IDEMPOTENCY_KEY = text(64, 1);

const SEARCH_FIELDS = {
  from: { rule: dateTime },
  to: { rule: dateTime },
  paymentStatuses: { rule: statuses },
  reference: { rule: text(35) },
} as const satisfies Fields;

export interface SearchRequest {
  readonly from: number;
  readonly to: number;
  readonly statuses: readonly PaymentStatus[] | undefined;
  readonly reference: string | undefined;
  readonly page: number;
  readonly size: number;
}

export interface RefundRequest {
  readonly idempotencyKey: string;
  readonly amount: number;
  readonly currency: string;
  readonly description: string | undefined;
}

export interface RawRequest {
  readonly body: Buffer;
  readonly contentType: string | undefined;
}

/**
 * @throws ApiError BODY_MISSING, FIELD_IS_REQUIRED or FIELD_IS_INVALID
 * @see payconiq.txt L916-952, L2786-2837, L6540-6587, L12330-12411
 */
export function readCreate(
  raw: RawRequest,
  { form, requireHttps }: { readonly form: CreateForm; readonly requireHttps: boolean },
): PaymentRequest {
  const body = readBody(raw);
  const callbackUrl = { rule: url(requireHttps ? ['https:'] : ['https:', 'http:']) };
  const fields: Fields = { ...COMMON, callbackUrl, ...CREATE_FIELDS[form] };
  checkFields(body, fields);
  if (body['paymentChannel'] === 'INSTORE' && form === 'subMerchant') {
    checkFields(body, { posId: CREATE_FIELDS.pos.posId });
  }
  const known = Object.keys(fields).filter((name) => isPresent(body[name]));
  return Object.fromEntries(known.map((name) => [name, body[name]])) as unknown as PaymentRequest;
}

/** @see payconiq.txt L2107-2131, L13764-13789 */
export function readAcknowledge(raw: RawRequest): { readonly amount: number } {
  const body = readBody(raw);
  checkFields(body, ACKNOWLEDGE_FIELDS);
  return { amount: body['amount'] as number };
}

/** @see payconiq.txt L1699-1744 */
export function readSearch(raw: RawRequest, query: URLSearchParams, now: number): SearchRequest {
  const body = readBody(raw);
  checkFields(body, SEARCH_FIELDS);
  const time = (name: string, otherwise: number): number =>
    isPresent(body[name]) ? Date.parse(body[name] as string) : otherwise;
  return {
    from: time('from', now - DAY_MS),
    to: time('to', now),
    statuses: (body['paymentStatuses'] ?? undefined) as readonly PaymentStatus[] | undefined,
    reference: (body['reference'] ?? undefined) as string | undefined,
    page: readCount(query, 'page', { min: 0, otherwise: 0 }),
    size: readCount(query, 'size', { min: 1, otherwise: DEFAULT_PAGE_SIZE }),
  };
}

/**
 * Whatever is wrong has the one code; a currency that is left out is the only one there is.
 *
 * @throws ApiError VALIDATION_ERROR
 * @see payconiq.txt L11256-11284, L11337
 */
export function readRefund(
  raw: RawRequest & { readonly idempotencyKey: string | undefined },
): RefundRequest {
  const body = readBodyOr('VALIDATION_ERROR', raw, REFUND_FIELDS);
  const { idempotencyKey = '' } = raw;
  const problem = IDEMPOTENCY_KEY(idempotencyKey);
  if (problem !== undefined) {
    throw new ApiError('VALIDATION_ERROR', `Header 'Idempotency-Key' ${problem}`);
  }
  return {
    idempotencyKey,
    amount: body['amount'] as number,
    currency: (body['currency'] ?? 'EUR') as string,
    description: (body['description'] ?? undefined) as string | undefined,
  };
}

function readBodyOr(
  code: AnyErrorCode,
  raw: RawRequest,
  fields: Fields,
): Readonly<Record<string, unknown>> {
  try {
    const body = readBody(raw);
    checkFields(body, fields);
    return body;
  } catch (error) {
    throw error instanceof ApiError ? new ApiError(code, error.message) : error;
  }
}

function readBody({ body, contentType = '' }: RawRequest): Record<string, unknown> {
  const isJson = /^application\/json\s*(?:;|$)/i.test(contentType);
  const value = isJson ? parseJson(body) : undefined;
  if (!isObject(value)) throw new ApiError('BODY_MISSING', 'A JSON body needs to be provided');
  return value;
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

function checkFields(body: Record<string, unknown>, fields: Fields, prefix = ''): void {
  for (const [name, { rule, isRequired }] of Object.entries(fields)) {
    if (!isPresent(body[name])) {
      if (isRequired === undefined) continue;
      throw new ApiError('FIELD_IS_REQUIRED', `Field '${prefix}${name}' is mandatory`);
    }
    const problem = rule(body[name]);
    if (problem === undefined) continue;
    throw new ApiError('FIELD_IS_INVALID', `Field '${prefix}${name}' ${problem}`);
  }
}

function readCount(
  query: URLSearchParams,
  name: string,
  { min, otherwise }: { readonly min: number; readonly otherwise: number },
): number {
  const given = query.get(name);
  if (given === null) return otherwise;
  const value = /^\d{1,6}$/.test(given) ? Number(given) : -1;
  if (value >= min) return value;
  throw new ApiError('FIELD_IS_INVALID', `Field '${name}' must be an integer of ${min} or more`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
