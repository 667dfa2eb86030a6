import { SandboxStateError } from './payment-book.js';
import type { PaymentBook } from './payment-book.js';
import type { Product, SandboxPayment } from './payment.js';

/**
 * What a printed code is sold as. A top-up may be paid many times, and its amount is the consumer's
 * to change; a receipt and an invoice say what they cost. @see payconiq.txt L4087, L5193, L9420-9430
 */
export type PrintedProduct = 'receipt' | 'invoice' | 'top_up';

/** A receipt lies on a counter; the others are met at home. */
const MEETS: Readonly<Record<PrintedProduct, Product>> = {
  receipt: 'instore',
  invoice: 'online',
  top_up: 'online',
};

/** From these on, a payment has been made. */
const PAID: readonly SandboxPayment['status'][] = [
  'AUTHORIZED',
  'PENDING_MERCHANT_ACKNOWLEDGEMENT',
  'SUCCEEDED',
];

export interface PrintedCodes {
  readonly product: PrintedProduct;
  /** Whether amount, reference and description together are paid once. @see payconiq.txt L5282 */
  readonly isPayableOnce: boolean;
  /** Where the profile's payments are reported when nobody named a URL. */
  readonly callbackUrl: () => string | undefined;
}

export interface ScanOptions {
  /** Euro cents, the consumer's own: where the code names none, or where it may be changed. */
  readonly amount?: number;
}

/** What a code's URL leads to. */
type ScannedCode =
  | { readonly kind: 'payment'; readonly paymentId: string }
  | { readonly kind: 'sticker'; readonly profileId: string; readonly posId: string }
  | ({ readonly kind: 'template'; readonly profileId: string } & Template);

interface Template {
  readonly amount?: number;
  readonly description?: string;
  readonly reference?: string;
}

export interface Scanner {
  readonly book: PaymentBook;
  readonly owner: string;
  readonly profileId: string;
  readonly printed: PrintedCodes;
}

/**
 * Points the consumer's app at any of the provider's codes: a payment's own, a sticker, or a printed
 * template, whose payment begins here.
 *
 * @throws SandboxStateError where the app would show an error
 */
export function scanCode(
  scanner: Scanner,
  content: string,
  options: ScanOptions = {},
): SandboxPayment {
  const code = readCode(content);
  if (code === undefined) throw new SandboxStateError(`${content} is no code of the provider`);
  const { consumer } = scanner.book;
  if (code.kind === 'payment') return consumer.scan(code.paymentId);
  if (code.profileId !== scanner.profileId) {
    throw new SandboxStateError(`no profile ${code.profileId}`);
  }
  return code.kind === 'sticker'
    ? consumer.scanSticker(code.posId)
    : scanTemplate(scanner, code, options);
}

function scanTemplate(
  { book, owner, printed }: Scanner,
  template: Template,
  options: ScanOptions,
): SandboxPayment {
  const { description, reference } = template;
  const printedCode = JSON.stringify([template.amount, description, reference]);
  if (printed.isPayableOnce && book.list().some((one) => isPaid(one, printedCode))) {
    throw new SandboxStateError('this code counts as already paid');
  }
  const callbackUrl = printed.callbackUrl();
  const { paymentId } = book.create({
    owner,
    product: MEETS[printed.product],
    printedCode,
    request: {
      amount: amountOf(template, options, printed.product),
      ...(description !== undefined && { description }),
      ...(reference !== undefined && { reference }),
      ...(callbackUrl !== undefined && { callbackUrl }),
    },
  });
  return book.consumer.scan(paymentId);
}

function isPaid({ printedCode, status }: SandboxPayment, wanted: string): boolean {
  return printedCode === wanted && PAID.includes(status);
}

function amountOf(
  template: Template,
  { amount: chosen }: ScanOptions,
  product: PrintedProduct,
): number {
  const isFixed = template.amount !== undefined && product !== 'top_up';
  if (isFixed && chosen !== undefined && chosen !== template.amount) {
    throw new SandboxStateError(`the code says ${template.amount}; it cannot be changed`);
  }
  const amount = chosen ?? template.amount;
  if (amount === undefined) throw new SandboxStateError('the code names no amount: choose one');
  if (isCents(amount)) return amount;
  throw new SandboxStateError(`an amount of ${amount} is not possible`);
}

/** @see payconiq.txt L2694-2714 (sticker), L4154-4231 (template), L8318-8381 (deeplink) */
function readCode(content: string): ScannedCode | undefined {
  const [, path = '', query = ''] =
    /^https:\/\/payconiq\.com(\/[^?#]*)(?:\?([^#]*))?$/.exec(content) ?? [];
  const [, paymentId] = /^\/pay\/2\/([0-9a-f]{24})$/i.exec(path) ?? [];
  if (paymentId !== undefined) return { kind: 'payment', paymentId: paymentId.toLowerCase() };
  const [, kind, profileId = '', posId] =
    /^\/([lt])\/1\/([0-9A-Za-z]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  if (kind === 'l' && posId !== undefined) {
    const decoded = decode(posId);
    return decoded === undefined ? undefined : { kind: 'sticker', profileId, posId: decoded };
  }
  if (kind !== 't' || posId !== undefined) return undefined;
  const template = readTemplate(query);
  return template && { kind: 'template', profileId, ...template };
}

function readTemplate(query: string): Template | undefined {
  const pairs = query.split('&').map((pair) => pair.split(/=(.*)/s, 2) as [string, string?]);
  const read = (name: string): string | undefined =>
    decode(pairs.find(([found]) => found === name)?.[1] ?? '');
  const [description, amount, reference] = [read('D'), read('A'), read('R')];
  const texts = [description, reference];
  if (amount === undefined || texts.some((text) => text === undefined || text.length > 35)) {
    return undefined;
  }
  if (amount !== '' && !(/^\d{1,6}$/.test(amount) && isCents(Number(amount)))) return undefined;
  return {
    ...(amount !== '' && { amount: Number(amount) }),
    ...(description !== undefined && description !== '' && { description }),
    ...(reference !== undefined && reference !== '' && { reference }),
  };
}

function isCents(amount: number): boolean {
  return Number.isInteger(amount) && amount >= 1 && amount <= 999_999;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
