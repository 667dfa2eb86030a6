/**
 * What Payconiq's QR codes say, and the links to its service that draws them. Pure.
 *
 * Values are encoded into the content, and the content once more into the service's `c`
 * (`Invoice Payment` → `Invoice%20Payment` → `Invoice%2520Payment`): with one level less, `&A=`
 * would become a parameter of the service and the amount would be lost.
 */
import { money, type Money } from '../../../domain/money.js';
import type { Violation } from '../../../domain/problem.js';
import {
  check,
  checked,
  checkAmount,
  checkName,
  checkProfileId,
  checkText,
  isCents,
  type Checked,
} from './check.js';
import {
  QR_COLOURS,
  QR_DEFAULTS,
  QR_FORMATS,
  QR_SIZES,
  type QrColour,
  type QrFormat,
  type QrSize,
} from './display.js';
import { parseOgm } from './ogm.js';
import {
  append,
  checkHttpsUrl,
  checkUrl,
  countParameter,
  decode,
  encode,
  queryPairs,
} from './url.js';

/** Where the QR generation service lives. @see payconiq.txt L1011 (EXT), L2680 (PROD) */
export const PORTALS = {
  ext: 'https://portal.ext.payconiq.com',
  prod: 'https://portal.payconiq.com',
} as const satisfies Record<string, string>;

export type Portal = keyof typeof PORTALS;

/** How the service shall draw; what is absent is left to its defaults: PNG, S, magenta. */
export interface QrStyle {
  readonly format?: QrFormat;
  /** For PNG only. */
  readonly size?: QrSize;
  readonly colour?: QrColour;
}

export interface QrServiceRequest extends QrStyle {
  readonly environment: Portal;
  /** In place of the environment's address, without a trailing slash. */
  readonly portalUrl?: string;
  /** What the code shall say: a URL, encoded as a URL has to be. */
  readonly content: string;
}

/** The link to an image of this content. @see payconiq.txt L2639-2714, L4127-4231 */
export function qrServiceUrl(request: QrServiceRequest): Checked<string> {
  const { environment, portalUrl, content, format, size, colour } = request;
  const violations = [
    ...checkName('environment', environment, PORTALS),
    ...(portalUrl === undefined ? [] : checkUrl('portalUrl', portalUrl)),
    ...checkHttpsUrl('content', content),
    ...checkStyle(request),
  ];
  return checked(violations, () =>
    append(`${portalUrl ?? PORTALS[environment]}/qrcode`, [
      ...pairOf('f', format),
      ...pairOf('s', size),
      ...pairOf('cl', colour),
      ['c', encode(content)],
    ]),
  );
}

const STYLE_PARAMETERS = ['s', 'f', 'cl'] as const;

/**
 * Adds a style to a link that already carries `c`, as `_links.qrcode.href` does. The link stays as
 * it is, to the letter: only Payconiq knows what its code says. @see payconiq.txt L1175-1203
 */
export function styleQrLink(link: string, style: QrStyle): Checked<string> {
  const styled = STYLE_PARAMETERS.filter((name) => countParameter(link, name) > 0);
  const violations = [
    ...checkUrl('link', link),
    ...check(countParameter(link, 'c') === 1, {
      field: 'link',
      rule: 'must carry the content (c) exactly once',
    }),
    ...check(styled.length === 0, { field: 'link', rule: 'must not carry a style (s, f, cl) yet' }),
    ...checkStyle(style),
  ];
  return checked(violations, () =>
    append(link, [
      ...pairOf('s', style.size),
      ...pairOf('f', style.format),
      ...pairOf('cl', style.colour),
    ]),
  );
}

/** @see payconiq.txt L1177-1195 */
export function checkStyle({ format, size, colour }: QrStyle): readonly Violation[] {
  return [
    ...checkName('format', format, QR_FORMATS),
    ...checkName('size', size, QR_SIZES),
    ...checkName('colour', colour, QR_COLOURS),
    ...check(size === undefined || (format ?? QR_DEFAULTS.format) !== 'SVG', {
      field: 'size',
      rule: 'applies to PNG only',
    }),
  ];
}

function pairOf(name: string, value: string | undefined): readonly (readonly [string, string])[] {
  return value === undefined ? [] : [[name, value]];
}

export interface Sticker {
  readonly profileId: string;
  /** The point of sale, at most 36 characters, as `posId` of the payments created for it. */
  readonly posId: string;
}

/** What the sticker at a point of sale says. @see payconiq.txt L2694-2714, L2811-2814 */
export function stickerUrl({ profileId, posId }: Sticker): Checked<string> {
  const violations = [
    ...checkProfileId(profileId),
    ...checkText(posId, { field: 'posId', maxLength: 36 }),
    ...check(!/^\.{1,2}$/.test(posId), {
      field: 'posId',
      rule: 'must not be . or .., which a URL takes for a folder',
    }),
  ];
  return checked(violations, () => `https://payconiq.com/l/1/${profileId}/${encode(posId)}`);
}

const STICKER = /^https:\/\/payconiq\.com\/l\/1\/([0-9A-Za-z]{1,64})\/([^/?#]+)$/;

/** Whose point of sale a sticker's URL names; undefined where it is not as `stickerUrl` writes it. */
export function parseStickerUrl(url: string): Sticker | undefined {
  const [, profileId = '', encoded = ''] = STICKER.exec(url) ?? [];
  const sticker = { profileId, posId: decode(encoded) ?? '' };
  const written = stickerUrl(sticker);
  return 'value' in written && written.value === url ? sticker : undefined;
}

/** A payment that is printed: no call to Payconiq is made, and its id is unknown until a scan. */
export interface Template {
  readonly profileId: string;
  /** Euros, 0.01 to 9999.99; absent where the payer shall say how much. */
  readonly amount?: Money;
  /** At most 35 characters. */
  readonly description?: string;
  /** At most 35 characters. */
  readonly reference?: string;
}

/**
 * What a printed code says on a receipt, an invoice or a top-up card; which of them it is depends
 * on the profile. For an invoice this is also the deeplink to put into an e-mail.
 *
 * A top-up code may be paid many times and its payer may change the amount. An invoice is paid
 * once: two codes of the same amount, reference and description count as one (L5282), and as the
 * same fields always give the same URL, the URL is the key to keep unique.
 *
 * @see payconiq.txt L4154-4231 (receipt), L5236-5342 (invoice), L5371-5401 (deeplink), L9420-9572
 */
export function templateUrl(template: Template): Checked<string> {
  const { profileId, amount, description, reference } = template;
  return checked(checkTemplate(template), () =>
    append(`https://payconiq.com/t/1/${profileId}`, [
      ...pairOf('D', description && encode(description)),
      ...pairOf('A', amount?.minor),
      ...pairOf('R', reference && encode(reference)),
    ]),
  );
}

function checkTemplate({
  profileId,
  amount,
  description,
  reference,
}: Template): readonly Violation[] {
  return [
    ...checkProfileId(profileId),
    ...checkAmount(amount),
    ...checkText(description, { field: 'description', maxLength: 35 }),
    ...checkText(reference, { field: 'reference', maxLength: 35 }),
  ];
}

export interface StructuredInvoice {
  readonly profileId: string;
  readonly amount?: Money;
  /** The OGM: twelve digits or `+++123/4567/89002+++`. */
  readonly communication: string;
}

/**
 * An invoice whose OGM comes back on the bank statement: it takes the description's place, and there
 * is no reference. The profile's contract must have structured remittance enabled.
 * @see payconiq.txt L5214, L5233, L5312, L5389-5401
 */
export function structuredInvoiceUrl(invoice: StructuredInvoice): Checked<string> {
  const { profileId, amount } = invoice;
  const communication = parseOgm(invoice.communication);
  if (communication !== undefined) {
    return templateUrl({ profileId, description: communication, ...(amount && { amount }) });
  }
  const rule = 'must be a structured communication with right check digits';
  return {
    violations: [
      ...checkTemplate({ profileId, ...(amount && { amount }) }),
      { field: 'communication', rule, value: invoice.communication.slice(0, 30) },
    ],
  };
}

const TEMPLATE = /^https:\/\/payconiq\.com\/t\/1\/([0-9A-Za-z]{1,64})(?:\?([^#]*))?$/;

/**
 * What a printed code's URL asks for; undefined where it is no template URL, or one that breaks the
 * rules. Parameters that the document does not name are passed over; `+` is no space.
 */
export function parseTemplateUrl(url: string): Template | undefined {
  const [, profileId = '', query = ''] = TEMPLATE.exec(url) ?? [];
  const pairs = queryPairs(query);
  const read = (name: string): string | undefined =>
    decode(pairs.find(([found]) => found === name)?.[1] ?? '');
  const [description, amount, reference] = [read('D'), read('A'), read('R')];
  if (description === undefined || amount === undefined || reference === undefined)
    return undefined;
  if (['D', 'A', 'R'].some((name) => pairs.filter(([found]) => found === name).length > 1)) {
    return undefined;
  }
  if (amount !== '' && !isCents(amount)) return undefined;
  const template: Template = {
    profileId,
    ...(description !== '' && { description }),
    ...(amount !== '' && { amount: money(amount, 'EUR') }),
    ...(reference !== '' && { reference }),
  };
  return checkTemplate(template).length === 0 ? template : undefined;
}
