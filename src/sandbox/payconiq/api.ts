import { ApiError } from './answer.js';
import type { Answer } from './answer.js';
import type { Caller, IncomingRequest } from './authentication.js';
import type { FaultSubject, Operation } from './faults.js';
import type { Guard } from './guard.js';
import type { PaymentBook } from './payment-book.js';
import type { Product, SandboxPayment } from './payment.js';
import { renderCreated, renderDetails } from './render.js';
import type { RenderContext } from './render.js';
import type { SigningKeys } from './signing-keys.js';
import { readAcknowledge, readCreate, readSearch } from './validation.js';
import type { CreateForm } from './validation.js';

export interface ApiRequest extends IncomingRequest {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly contentType: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly body: Buffer;
}

export interface ApiOptions {
  readonly book: PaymentBook;
  readonly guard: Guard;
  readonly keys: SigningKeys;
  readonly now: () => number;
  readonly context: () => RenderContext;
  readonly product: Product;
  readonly requireHttpsCallbacks: boolean;
  /** How long a new payment is not yet found by search. */
  readonly searchDelayMs: number;
  /** How long after a payment by the bank's app the consumer's IBAN is not available. */
  readonly bankAppIbanDelayMs: number;
}

/** A request that the API knows: what it asks for, about which payment. */
export interface Route {
  readonly operation: Operation;
  readonly subject: FaultSubject;
  /**
   * Authenticates, does what is asked, and makes the answer, signed where due. With `instead`,
   * nothing is done and that is the answer of an authenticated request.
   */
  perform(instead?: Answer): Promise<Answer>;
  /** Signs another answer in place of the one performed. */
  sign(answer: Answer): Promise<Answer>;
}

export interface Api {
  /** Undefined where no operation is documented at this method and path. */
  route(request: ApiRequest): Route | undefined;
}

type Handler = (caller: Caller, request: ApiRequest, paymentId: string) => Answer;

const CREATE_PATHS: Readonly<Record<string, CreateForm>> = {
  '/v3/payments': 'payments',
  '/v3/payments/pos': 'pos',
  '/v3/payments/subMerchant': 'subMerchant',
};

/** The payments API. @see payconiq.txt L881-1168, L1366-2590, L12281-12629, L13476-13970 */
export function createApi(options: ApiOptions): Api {
  const { book, context } = options;

  const mustFind = (paymentId: string): SandboxPayment => {
    const payment = book.find(paymentId);
    if (payment !== undefined) return payment;
    throw new ApiError('PAYMENT_NOT_FOUND', `Payment not found '${paymentId}'`);
  };
  const mustOwn = ({ owner }: Caller, paymentId: string): SandboxPayment => {
    const payment = mustFind(paymentId);
    if (payment.owner === owner) return payment;
    throw new ApiError('PAYMENT_NOT_FOUND', `Payment not found '${paymentId}'`);
  };

  const createWith =
    (form: CreateForm): Handler =>
    (caller, raw) => {
      if (form === 'subMerchant' && !caller.isSigned) {
        throw new ApiError('ACCESS_DENIED', 'Only signed requests may create for a submerchant');
      }
      const request = readCreate(raw, { form, requireHttps: options.requireHttpsCallbacks });
      const product = productOf(form, request.paymentChannel, options.product);
      const payment = book.create({ owner: caller.owner, product, request });
      return { status: 201, body: renderCreated(payment, context()) };
    };

  const get: Handler = (caller, _request, paymentId) => ({
    status: 200,
    body: renderDetails(mustOwn(caller, paymentId), context()),
  });

  const refundIban: Handler = (caller, _request, paymentId) => {
    const { succeededAt, app } = mustOwn(caller, paymentId);
    const delayMs = app === 'bancontact' ? options.bankAppIbanDelayMs : 0;
    if (succeededAt === undefined || options.now() < succeededAt + delayMs) {
      const message = `Refund not available for payment '${paymentId}'`;
      throw new ApiError('REFUND_NOT_AVAILABLE', message);
    }
    return { status: 200, body: { iban: CONSUMER_IBAN } };
  };

  const search: Handler = ({ owner }, raw) => {
    const { from, to, statuses, reference, page, size } = readSearch(raw, raw.query, options.now());
    const visibleUntil = Math.min(to, options.now() - options.searchDelayMs);
    const found = book
      .list()
      .filter((payment) => payment.owner === owner)
      .filter(({ createdAt }) => createdAt >= from && createdAt <= visibleUntil)
      .filter(({ status }) => statuses === undefined || statuses.includes(status))
      .filter((payment) => reference === undefined || payment.reference === reference)
      .toReversed();
    const details = found.slice(page * size, (page + 1) * size);
    const body = {
      size: details.length,
      totalPages: Math.ceil(found.length / size),
      totalElements: found.length,
      number: page,
      details: details.map((payment) => renderDetails(payment, context())),
    };
    return { status: 200, body };
  };

  const acknowledge: Handler = (caller, raw, paymentId) => {
    const payment = mustOwn(caller, paymentId);
    const { amount } = readAcknowledge(raw);
    if (amount !== payment.amount && amount !== payment.totalAmount) {
      throw new ApiError('FIELD_IS_INVALID', "Field 'amount' is not the amount of the payment");
    }
    if (payment.status === 'VOIDED') {
      throw new ApiError('PAYMENT_VOIDED', `Payment '${paymentId}' is already voided`);
    }
    if (payment.status === 'SUCCEEDED') return { status: 204 };
    if (payment.status !== 'PENDING_MERCHANT_ACKNOWLEDGEMENT') {
      throw new ApiError('PAYMENT_CONFLICT', `Payment '${paymentId}' is not to be acknowledged`);
    }
    book.move(paymentId, 'SUCCEEDED');
    return { status: 204 };
  };

  const end: Handler = ({ owner }, _request, paymentId) => {
    const payment = mustFind(paymentId);
    if (payment.owner !== owner) {
      const message = `Payment '${paymentId}' is not yours to be cancelled`;
      throw new ApiError('CALLER_NOT_ALLOWED_TO_CANCEL', message);
    }
    const into = ENDED_BY_DELETE[payment.status];
    if (into === undefined) {
      const message = `Payment '${paymentId}' is not allowed to be cancelled`;
      throw new ApiError('PAYMENT_NOT_PENDING', message);
    }
    book.move(paymentId, into);
    return { status: 204 };
  };

  const route = (request: ApiRequest): Route | undefined => {
    const { method, path } = request;
    const [, paymentId = '', about = ''] =
      /^\/v3\/payments\/([^/]+)(\/acknowledge|\/debtor\/refundIban)?$/.exec(path) ?? [];
    const form = CREATE_PATHS[path];
    const payment = book.find(paymentId);
    const routeTo = (operation: Operation, handler: Handler, subject: FaultSubject): Route =>
      options.guard({
        operation,
        subject,
        request,
        handle: (caller) => handler(caller, request, paymentId),
      });
    const on = (operation: Operation, handler: Handler): Route =>
      routeTo(operation, handler, subjectOf(payment));
    const asked = (operation: Operation, handler: Handler): Route =>
      routeTo(operation, handler, { reference: referenceIn(request.body) });
    if (method === 'GET' && path === '/certificates') return certificates();
    if (method === 'POST' && form !== undefined) return asked('create', createWith(form));
    if (method === 'POST' && path === '/v3/payments/search') return asked('search', search);
    if (paymentId === '') return undefined;
    const asks = `${method} ${about}`;
    if (asks === 'POST /acknowledge') return on('acknowledge', acknowledge);
    if (asks === 'GET /debtor/refundIban') return on('refund_iban', refundIban);
    if (asks === 'GET ') return on('get', get);
    if (asks !== 'DELETE ') return undefined;
    const isVoid = payment?.status === 'PENDING_MERCHANT_ACKNOWLEDGEMENT';
    return on(isVoid ? 'void' : 'cancel', end);
  };

  const certificates = (): Route => ({
    operation: 'certificates',
    subject: {},
    perform: (instead = { status: 200, body: options.keys.published() }) =>
      Promise.resolve(instead),
    sign: (answer) => Promise.resolve(answer),
  });

  return { route };
}

/** Its last five characters are those that the payment's details show. */
const CONSUMER_IBAN = 'NL90FRBK0000012636';

const ENDED_BY_DELETE: Partial<Record<SandboxPayment['status'], 'CANCELLED' | 'VOIDED'>> = {
  PENDING: 'CANCELLED',
  IDENTIFIED: 'CANCELLED',
  PENDING_MERCHANT_ACKNOWLEDGEMENT: 'VOIDED',
};

function productOf(form: CreateForm, channel: string | undefined, ofProfile: Product): Product {
  if (form === 'pos') return 'instore';
  if (form === 'payments') return ofProfile;
  return channel === 'INSTORE' ? 'instore' : 'online';
}

export function subjectOf(payment: SandboxPayment | undefined): FaultSubject {
  if (payment === undefined) return {};
  const { paymentId, reference, status } = payment;
  return { paymentId, reference, status };
}

function referenceIn(body: Buffer): string | undefined {
  try {
    const { reference } = JSON.parse(body.toString('utf8')) as { reference?: unknown };
    return typeof reference === 'string' ? reference : undefined;
  } catch {
    return undefined;
  }
}
