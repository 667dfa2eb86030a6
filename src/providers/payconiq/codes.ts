/**
 * Codes that a merchant of this profile prints, as the connection offers them (PCQ-22…27): what
 * they say by their kind, and their images.
 */
import { z } from 'zod';
import { present } from '../../domain/present.js';
import type { Checked, Violation } from '../../domain/problem.js';
import { violationsOf, type CodeCapability, type CodeStyle } from '../provider.js';
import type { PayconiqSettings } from './config.js';
import { check } from './formats/check.js';
import { buildOgm } from './formats/ogm.js';
import { renderQr } from './formats/qr-image.js';
import {
  parseStickerUrl,
  parseTemplateUrl,
  qrServiceUrl,
  stickerUrl,
  structuredInvoiceUrl,
  templateUrl,
} from './formats/qr-links.js';

const word = z.string('must be text').exactOptional();
const style = {
  format: z.enum(['PNG', 'SVG'], 'must be one of PNG, SVG').exactOptional(),
  size: z.enum(['S', 'M', 'L', 'XL'], 'must be one of S, M, L, XL').exactOptional(),
  colour: z.enum(['magenta', 'black'], 'must be one of magenta, black').exactOptional(),
};
const codeStyle = z.strictObject(style);

const amount = z.strictObject({
  minor: z.string('must be text'),
  currency: z.string('must be text'),
});
const template = {
  amount: amount.exactOptional(),
  description: word,
  reference: word,
  ...style,
};

const askedCode = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('sticker'), posId: z.string('must be text'), ...style }),
    z.strictObject({ kind: z.literal('receipt'), ...template }),
    z.strictObject({ kind: z.literal('topUp'), ...template }),
    z.strictObject({
      kind: z.literal('invoice'),
      ...template,
      /** A structured communication (OGM), whole. */
      communication: word,
      /** 1 to 10 digits, of which a structured communication is made. */
      invoiceNumber: word,
    }),
  ],
  { error: 'must be one of sticker, receipt, invoice, topUp' },
);

type AskedCode = z.infer<typeof askedCode>;
type AskedInvoice = Extract<AskedCode, { kind: 'invoice' }>;

/** @see payconiq.txt L2634-2714, L4127-4231, L5236-5401, L9420-9572 */
export function payconiqCodes({
  profileId,
  environment,
  portalUrl,
}: Pick<PayconiqSettings, 'profileId' | 'environment' | 'portalUrl'>): CodeCapability {
  return {
    build(asked) {
      const parsed = askedCode.safeParse(asked);
      if (!parsed.success) return { violations: violationsOf(parsed.error) };
      const { format, size, colour } = parsed.data;
      const content = contentOf(parsed.data, profileId);
      const drawn = present({ format, size, colour });
      const url = 'value' in content ? content.value : SOME_URL;
      const image = qrServiceUrl({ environment, portalUrl, content: url, ...drawn });
      if ('violations' in content || 'violations' in image) {
        return { violations: [...violationsIn(content), ...violationsIn(image)] };
      }
      // Only of an invoice is the URL itself documented as a link for phones (L5371).
      const isLink = parsed.data.kind === 'invoice';
      return {
        value: {
          content: content.value,
          imageUrl: image.value,
          ...(isLink && { appLink: content.value }),
        },
      };
    },
    image: (content, asked) => draw({ content, profileId }, asked),
  };
}

/** In the place of content that is wrong, so that what is wrong with the style is told with it. */
const SOME_URL = 'https://payconiq.com';

function contentOf(asked: AskedCode, profileId: string): Checked<string> {
  if (asked.kind === 'sticker') return stickerUrl({ profileId, posId: asked.posId });
  if (asked.kind === 'invoice') return invoiceContent(asked, profileId);
  return templateUrl({ profileId, ...asked });
}

function invoiceContent(asked: AskedInvoice, profileId: string): Checked<string> {
  const { communication, invoiceNumber } = asked;
  if (communication === undefined && invoiceNumber === undefined) {
    return templateUrl({ profileId, ...asked });
  }
  const beside = (['description', 'reference'] as const).flatMap((field) =>
    check(asked[field] === undefined, {
      field,
      rule: 'must be left out beside a structured communication',
    }),
  );
  const both = check(communication === undefined || invoiceNumber === undefined, {
    field: 'invoiceNumber',
    rule: 'must be left out beside communication, which has it',
  });
  const built = communication === undefined ? ogmOf(invoiceNumber ?? '') : { value: communication };
  const ogm = 'value' in built ? built.value : SOME_OGM;
  const url = structuredInvoiceUrl({
    profileId,
    communication: ogm,
    ...present({ amount: asked.amount }),
  });
  const violations = [...beside, ...both, ...violationsIn(built), ...violationsIn(url)];
  return violations.length > 0 ? { violations } : url;
}

const SOME_OGM = '000000000097';

function ogmOf(invoiceNumber: string): Checked<string> {
  const built = buildOgm(invoiceNumber);
  if ('value' in built) return built;
  return { violations: built.violations.map((each) => ({ ...each, field: 'invoiceNumber' })) };
}

function draw(
  { content, profileId }: { readonly content: string; readonly profileId: string },
  asked: CodeStyle,
): ReturnType<CodeCapability['image']> {
  const parsed = codeStyle.safeParse(asked);
  const strange = check(isOwnContent(content, profileId), {
    field: 'content',
    rule: 'must be what a code of this connection says',
  });
  const violations = [...strange, ...(parsed.success ? [] : violationsOf(parsed.error))];
  if (violations.length > 0 || !parsed.success) return { violations };
  const image = renderQr({ content, ...parsed.data });
  if ('violations' in image) return image;
  const { body, mediaType } = image.value;
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { value: { bytes, contentType: mediaType } };
}

/** A code of this profile to the letter, or an open payment of Payconiq's. */
function isOwnContent(content: string, profileId: string): boolean {
  return (
    isOwnTemplate(content, profileId) ||
    parseStickerUrl(content)?.profileId === profileId ||
    /^https:\/\/payconiq\.com\/pay\/2\/[0-9A-Za-z]{24}$/i.test(content)
  );
}

/** Parameters that are not Payconiq's would let anything be written into a code. */
function isOwnTemplate(content: string, profileId: string): boolean {
  const parsed = parseTemplateUrl(content);
  if (parsed?.profileId !== profileId) return false;
  const rebuilt = templateUrl(parsed);
  return 'value' in rebuilt && rebuilt.value === content;
}

function violationsIn(result: Checked<unknown>): readonly Violation[] {
  return 'violations' in result ? result.violations : [];
}
