/**
 * What Payconiq writes on bank statements, built and read. Pure.
 *
 * A statement is Latin text of 140 characters in columns, padded with spaces. Banks show the padding
 * as no-break spaces or cut it off at the end: both are read.
 */
import type { Violation } from '../../../domain/problem.js';
import { check, checked, checkText, type Checked } from './check.js';
import { parseOgm, type Ogm } from './ogm.js';

/** One payment. @see payconiq.txt L303-342, L6363-6408 */
export interface PaymentRemittance {
  readonly kind: 'payment';
  /** 24 letters and digits. */
  readonly paymentId: string;
  /** At most 23 characters. */
  readonly merchantName: string;
  /** At most 35 characters. */
  readonly reference?: string;
  /** At most 46 characters; Payconiq uses the first 35 of a payment's description (L943). */
  readonly description?: string;
}

/** One payment on a partner's account: the same columns, with the sub-merchant. @see L11634-11675 */
export interface PartnerPaymentRemittance extends Omit<PaymentRemittance, 'kind' | 'merchantName'> {
  readonly kind: 'partner_payment';
  /** At most 23 characters. */
  readonly subMerchantName: string;
}

/** An invoice with structured remittance: its OGM alone. @see payconiq.txt L6334-6361 */
export interface StructuredInvoiceRemittance {
  readonly kind: 'structured_invoice';
  readonly communication: Ogm;
}

/** A day's payments in one sum. @see payconiq.txt L274-291 */
export interface BulkPayoutRemittance {
  readonly kind: 'bulk_payout';
  /** When the payments were made, `YYYY-MM-DD` in Brussels. */
  readonly businessDate: string;
  /** 24 characters; the statement's End-to-end reference says the same. */
  readonly endToEndId: string;
  /** At most 35 characters; absent where payments are bulked by account and merchant. */
  readonly bulkId?: string;
  /** 24 letters and digits. */
  readonly merchantId: string;
}

/** A refund, on the payer's statement. Never structured. @see payconiq.txt L11497-11541 */
export interface RefundRemittance {
  readonly kind: 'refund';
  /** 24 letters and digits. */
  readonly refundId: string;
  /** At most 23 characters. */
  readonly creditorName: string;
  /** At most 31 characters. */
  readonly description?: string;
  /** The payment's reference, at most 35 characters. */
  readonly reference?: string;
}

export type Remittance =
  | PaymentRemittance
  | PartnerPaymentRemittance
  | StructuredInvoiceRemittance
  | BulkPayoutRemittance
  | RefundRemittance;

const MAX_LENGTH = 140;
const ID = /^[0-9A-Za-z]{24}$/;
/** Printable and without spaces: the SEPA characters an end-to-end id may have. */
const END_TO_END_ID = /^[\x21-\x7e]{24}$/;

interface Column {
  readonly name: string;
  readonly width: number;
}

/** A line of a statement: words that always stand there, and columns between them. */
type Layout = readonly (string | Column)[];

const PAYMENT: Layout = [
  'Payconiq ',
  { name: 'id', width: 24 },
  ' ',
  { name: 'payee', width: 23 },
  ' ',
  { name: 'reference', width: 35 },
  ' ',
  { name: 'description', width: 46 },
];

const REFUND: Layout = [
  'Payconiq ',
  { name: 'id', width: 24 },
  ' refund for ',
  { name: 'payee', width: 23 },
  ' ',
  { name: 'description', width: 31 },
  ' ref ',
  { name: 'reference', width: 35 },
];

/** The columns' texts by name. */
type Texts = Readonly<Record<string, string | undefined>>;

function write(layout: Layout, texts: Texts): string {
  return layout
    .map((piece) =>
      typeof piece === 'string' ? piece : (texts[piece.name] ?? '').padEnd(piece.width),
    )
    .join('')
    .replaceAll('\u00a0', ' ');
}

/** The columns without their padding, or undefined where a fixed word is missing. */
function read(layout: Layout, text: string): Texts | undefined {
  const padded = text.padEnd(MAX_LENGTH);
  const texts: Record<string, string> = {};
  let at = 0;
  for (const piece of layout) {
    if (typeof piece === 'string') {
      if (!padded.startsWith(piece, at)) return undefined;
      at += piece.length;
    } else {
      texts[piece.name] = padded.slice(at, at + piece.width).trimEnd();
      at += piece.width;
    }
  }
  return ID.test(texts['id'] ?? '') && texts['payee'] !== '' ? texts : undefined;
}

/**
 * The text of a statement, in the tables' widths: 140 characters for payments and refunds, although
 * the document's samples are shorter and longer. No column may end with a space, which its padding
 * would swallow. Nothing is padded in bulk payouts and structured invoices.
 */
export function buildRemittance(remittance: Remittance): Checked<string> {
  return checked(checkRemittance(remittance), () => textOf(remittance));
}

function textOf(remittance: Remittance): string {
  switch (remittance.kind) {
    case 'payment':
      return write(PAYMENT, {
        ...remittance,
        id: remittance.paymentId,
        payee: remittance.merchantName,
      });
    case 'partner_payment':
      return write(PAYMENT, {
        ...remittance,
        id: remittance.paymentId,
        payee: remittance.subMerchantName,
      });
    case 'refund':
      return write(REFUND, {
        ...remittance,
        id: remittance.refundId,
        payee: remittance.creditorName,
      });
    case 'structured_invoice':
      return remittance.communication;
    case 'bulk_payout': {
      const { businessDate, endToEndId, bulkId = '', merchantId } = remittance;
      const day = businessDate.replaceAll('-', '');
      return [day, endToEndId, bulkId, 'PQ', 'BulkRecon', merchantId].join('-');
    }
  }
}

function checkRemittance(remittance: Remittance): readonly Violation[] {
  switch (remittance.kind) {
    case 'payment':
      return [
        ...checkId('paymentId', remittance.paymentId),
        ...checkColumn('merchantName', remittance.merchantName, 23),
        ...checkColumn('reference', remittance.reference, 35),
        ...checkColumn('description', remittance.description, 46),
      ];
    case 'partner_payment':
      return [
        ...checkId('paymentId', remittance.paymentId),
        ...checkColumn('subMerchantName', remittance.subMerchantName, 23),
        ...checkColumn('reference', remittance.reference, 35),
        ...checkColumn('description', remittance.description, 46),
      ];
    case 'refund':
      return [
        ...checkId('refundId', remittance.refundId),
        ...checkColumn('creditorName', remittance.creditorName, 23),
        ...checkColumn('description', remittance.description, 31),
        ...checkColumn('reference', remittance.reference, 35),
      ];
    case 'structured_invoice':
      return check(parseOgm(remittance.communication) === remittance.communication, {
        field: 'communication',
        rule: 'must be twelve digits with right check digits',
      });
    case 'bulk_payout':
      return checkBulk(remittance);
  }
}

function checkBulk(bulk: BulkPayoutRemittance): readonly Violation[] {
  return [
    ...check(isDay(bulk.businessDate), {
      field: 'businessDate',
      rule: 'must be a day as YYYY-MM-DD',
    }),
    ...check(END_TO_END_ID.test(bulk.endToEndId), {
      field: 'endToEndId',
      rule: 'must have 24 printable characters without spaces',
    }),
    ...checkColumn('bulkId', bulk.bulkId, 35),
    ...checkId('merchantId', bulk.merchantId),
  ];
}

function checkId(field: string, id: string): readonly Violation[] {
  return check(ID.test(id), {
    field,
    rule: 'must have 24 letters and digits',
    value: id.slice(0, 80),
  });
}

function checkColumn(
  field: string,
  text: string | undefined,
  maxLength: number,
): readonly Violation[] {
  return [
    ...checkText(text, { field, maxLength }),
    ...check(!/\s$/.test(text ?? ''), { field, rule: 'must not end with a space' }),
  ];
}

interface StatementOwner {
  /** Whose account it is: in a partner's, the name in a payment's line is its sub-merchant's. */
  readonly account?: 'merchant' | 'partner';
}

/**
 * Reads the text of a statement's line, quotes taken off. Undefined for a line that is not
 * Payconiq's, or whose columns a bank has squeezed: nothing is guessed.
 *
 * A structured invoice cannot be told from any other transfer with an OGM. A refund is known by both
 * of its words; so a payment to a merchant called "refund for …", whose description has "ref" at the
 * very place, would be read as one.
 */
export function parseRemittance(
  text: string,
  { account = 'merchant' }: StatementOwner = {},
): Remittance | undefined {
  const line = text.replaceAll('\u00a0', ' ').trimEnd();
  if (line.length > MAX_LENGTH) return undefined;
  return parseBulk(line) ?? parseRefund(line) ?? parsePayment(line, account) ?? parseInvoice(line);
}

function parsePayment(line: string, account: 'merchant' | 'partner'): Remittance | undefined {
  const texts = read(PAYMENT, line);
  if (!texts) return undefined;
  const { id: paymentId = '', payee = '' } = texts;
  return account === 'partner'
    ? { kind: 'partner_payment', paymentId, subMerchantName: payee, ...remarksOf(texts) }
    : { kind: 'payment', paymentId, merchantName: payee, ...remarksOf(texts) };
}

function parseRefund(line: string): RefundRemittance | undefined {
  const texts = read(REFUND, line);
  if (!texts) return undefined;
  const { id: refundId = '', payee: creditorName = '' } = texts;
  return { kind: 'refund', refundId, creditorName, ...remarksOf(texts) };
}

function remarksOf({ reference, description }: Texts) {
  return { ...(reference && { reference }), ...(description && { description }) };
}

function parseInvoice(line: string): StructuredInvoiceRemittance | undefined {
  const communication = parseOgm(line);
  return communication && { kind: 'structured_invoice', communication };
}

// From both ends, by width: "-" separates, and may stand in the bulk id as well.
const BULK =
  /^(\d{4})(\d\d)(\d\d)-([\x21-\x7e]{24})-(?:(.{0,35})-)?PQ-BulkRecon-([0-9A-Za-z]{24})$/s;

function parseBulk(line: string): BulkPayoutRemittance | undefined {
  const [match, year, month, day, endToEndId = '', padded = '', merchantId = ''] =
    BULK.exec(line) ?? [];
  const businessDate = `${year}-${month}-${day}`;
  if (match === undefined || !isDay(businessDate)) return undefined;
  const bulkId = padded.trimEnd();
  return { kind: 'bulk_payout', businessDate, endToEndId, ...(bulkId && { bulkId }), merchantId };
}

function isDay(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** One entry of a bank statement, as CAMT files have it. */
export interface StatementEntry {
  readonly remittance: string;
  readonly endToEndReference?: string;
}

/**
 * The id by which an entry meets Payconiq's `endToEndId`: the entry's End-to-end reference
 * (`NOTPROVIDED` is SEPA's word for none), else what a bulk payout's text says. Payment details may
 * carry `endToEndId`: only the FAQ names it and no schema does, so it is never counted on.
 * @see payconiq.txt L290, L15028-15032
 */
export function endToEndIdOf(entry: StatementEntry): string | undefined {
  const reference = entry.endToEndReference?.trim();
  if (reference && reference.toUpperCase() !== 'NOTPROVIDED') return reference;
  const read = parseRemittance(entry.remittance);
  return read?.kind === 'bulk_payout' ? read.endToEndId : undefined;
}
