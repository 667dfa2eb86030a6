import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { money } from '../../../../src/domain/money.js';
import {
  parseTemplateUrl,
  qrServiceUrl,
  stickerUrl,
  structuredInvoiceUrl,
  styleQrLink,
  templateUrl,
  type QrServiceRequest,
  type Template,
} from '../../../../src/providers/payconiq/formats/qr-links.js';
import type { QrSize } from '../../../../src/providers/payconiq/formats/display.js';
import { buildOgm } from '../../../../src/providers/payconiq/formats/ogm.js';
import { jsonVector } from '../vectors.js';
import { brokenFields, valueOf } from './outcome.js';
import { anyText, writableText } from './texts.js';

interface Printed {
  readonly profileId: string;
  readonly size: QrSize;
  readonly content: string;
  readonly encoded: string;
  readonly link: string;
}
interface PrintedTemplate extends Printed {
  readonly product: string;
  readonly description: string;
  readonly cents: string;
  readonly reference: string;
}
interface Deeplink {
  readonly profileId: string;
  readonly cents: string;
  readonly description?: string;
  readonly reference?: string;
  readonly communication?: string;
  readonly url: string;
}
interface Vectors {
  readonly sticker: Printed & { readonly posId: string };
  readonly templates: readonly PrintedTemplate[];
  readonly invoiceDeeplinks: readonly [unstructured: Deeplink, structured: Deeplink];
  readonly styled: { readonly link: string; readonly styled: string };
  readonly created: { readonly content: string; readonly link: string };
}

const vectors = await jsonVector<Vectors>('qr-links');
const PROFILE = '5c18cbd1296e9a26d3278518';
const CONTENT = `https://payconiq.com/t/1/${PROFILE}`;
const EUR = (cents: string) => money(cents, 'EUR');
const ID_OF_PRODUCT: Record<string, string> = {
  receipt: 'PCQ-24',
  invoice: 'PCQ-25',
  'top-up': 'PCQ-27',
};

/** Any text a template may carry. */
const text = writableText(35);
const template: fc.Arbitrary<Template> = fc.record(
  {
    profileId: fc.stringMatching(/^[0-9a-f]{24}$/),
    amount: fc.integer({ min: 1, max: 999_999 }).map((cents) => money(cents, 'EUR')),
    description: text,
    reference: text,
  },
  { requiredKeys: ['profileId'] },
);

describe('a link to the QR generation service', () => {
  const request: QrServiceRequest = { environment: 'prod', content: CONTENT };

  it('PCQ-22: is the one that a creation answers in EXT (L1011)', () => {
    const { content, link } = vectors.created;
    expect(valueOf(qrServiceUrl({ environment: 'ext', content }))).toBe(link);
  });

  it('PCQ-22: names format, size and colour as asked, and nothing that was not', () => {
    const link = new URL(
      valueOf(qrServiceUrl({ ...request, format: 'PNG', size: 'XL', colour: 'black' })),
    );
    expect([...link.searchParams]).toEqual([
      ['f', 'PNG'],
      ['s', 'XL'],
      ['cl', 'black'],
      ['c', CONTENT],
    ]);
    expect(valueOf(qrServiceUrl(request))).toMatch(/^https:\/\/portal\.payconiq\.com\/qrcode\?c=/);
  });

  test.each<[string, object, string]>([
    ['a format it does not draw', { format: 'GIF' }, 'format'],
    ['a size it does not know', { size: 'XXL' }, 'size'],
    ['a size that only objects have', { size: 'constructor' }, 'size'],
    ['a size for an SVG', { format: 'SVG', size: 'L' }, 'size'],
    ['another colour', { colour: 'pink' }, 'colour'],
    ['another environment', { environment: 'test' }, 'environment'],
    ['no content', { content: '' }, 'content'],
    ['content that is no URL', { content: 'POS00001' }, 'content'],
    ['content with a space', { content: `${CONTENT}?D=Invoice Payment` }, 'content'],
    ['content with a fragment', { content: `${CONTENT}#A=1` }, 'content'],
  ])('PCQ-22: is refused for %s', (_, change, field) => {
    expect(brokenFields(qrServiceUrl({ ...request, ...change }))).toContain(field);
  });
});

describe('a style for a link that came from Payconiq', () => {
  const { link, styled } = vectors.styled;

  it('PCQ-22: is appended as the document does, to content that it left unencoded (L1203)', () => {
    expect(valueOf(styleQrLink(link, { size: 'L', format: 'PNG' }))).toBe(styled);
  });

  it('PCQ-22: leaves the link as it came, to the letter', () => {
    expect(valueOf(styleQrLink(vectors.created.link, {}))).toBe(vectors.created.link);
    expect(valueOf(styleQrLink(vectors.created.link, { colour: 'black' }))).toBe(
      `${vectors.created.link}&cl=black`,
    );
  });

  test.each<[string, string, object, string]>([
    ['no content', 'https://portal.payconiq.com/qrcode?s=L', {}, 'link'],
    ['content twice', `${link}&c=x`, {}, 'link'],
    ['a style already', styled, { size: 'S' }, 'link'],
    ['a fragment, which would swallow the style', `${link}#`, {}, 'link'],
    ['a size for an SVG', link, { format: 'SVG', size: 'L' }, 'size'],
  ])('PCQ-22: is refused for %s', (_, from, style, field) => {
    expect(brokenFields(styleQrLink(from, style))).toContain(field);
  });
});

describe('a sticker', () => {
  it('PCQ-23: says and links what the document prints (L2690-2714)', () => {
    const { profileId, posId, size, content, encoded, link } = vectors.sticker;
    expect(valueOf(stickerUrl({ profileId, posId }))).toBe(content);
    const built = valueOf(
      qrServiceUrl({ environment: 'prod', format: 'PNG', size, content: content }),
    );
    expect(built).toBe(link);
    expect(built.endsWith(encoded)).toBe(true);
  });

  it('PCQ-23: encodes the point of sale, so that it stays one part of the path', () => {
    const built = valueOf(stickerUrl({ profileId: PROFILE, posId: "kassa 1/2 'café'" }));
    expect(built).toBe(`https://payconiq.com/l/1/${PROFILE}/kassa%201%2F2%20%27caf%C3%A9%27`);
  });

  test.each<[string, object, string]>([
    ['37 characters', { posId: 'P'.repeat(37) }, 'posId'],
    ['no point of sale', { posId: '' }, 'posId'],
    ['a folder', { posId: '..' }, 'posId'],
    ['a line break', { posId: 'POS\n1' }, 'posId'],
    ['half of a character', { posId: 'POS\ud83d' }, 'posId'],
    ['a profile that would change the path', { profileId: 'a/b' }, 'profileId'],
    ['no profile', { profileId: '' }, 'profileId'],
  ])('PCQ-23: is refused for %s', (_, change, field) => {
    const sticker = { profileId: PROFILE, posId: 'POS00001', ...change };
    expect(brokenFields(stickerUrl(sticker))).toContain(field);
  });

  it('PCQ-23: takes 36 characters', () => {
    const posId = 'é'.repeat(36);
    expect(brokenFields(stickerUrl({ profileId: PROFILE, posId }))).toEqual([]);
  });
});

describe('a printed payment', () => {
  test.each(
    vectors.templates.map((printed) => [ID_OF_PRODUCT[printed.product], printed.product, printed]),
  )('%s: a %s is encoded twice, as the document prints it', (_id, _product, printed) => {
    const { profileId, description, cents, reference, size } = printed;
    const content = valueOf(templateUrl({ profileId, amount: EUR(cents), description, reference }));
    expect(content).toBe(printed.content);
    const link = valueOf(qrServiceUrl({ environment: 'prod', format: 'PNG', size, content }));
    expect(link).toBe(printed.link);
    expect(link.endsWith(printed.encoded)).toBe(true);
  });

  it('PCQ-24: its amount is no parameter of the service: two decodings lead back to it', () => {
    fc.assert(
      fc.property(template, (printed) => {
        const content = valueOf(templateUrl(printed));
        const link = new URL(valueOf(qrServiceUrl({ environment: 'prod', content })));
        expect([...link.searchParams.keys()]).toEqual(['c']);
        const said = new URL(link.searchParams.get('c') ?? '').searchParams;
        expect(said.get('D') ?? undefined).toBe(printed.description);
        expect(said.get('A') ?? undefined).toBe(printed.amount?.minor);
        expect(said.get('R') ?? undefined).toBe(printed.reference);
      }),
    );
  });

  it('PCQ-24: is read back as it was written', () => {
    fc.assert(
      fc.property(template, (printed) => {
        expect(parseTemplateUrl(valueOf(templateUrl(printed)))).toEqual(printed);
      }),
    );
  });

  it('PCQ-25: is another URL whenever a field is another, so that the URL can be kept unique', () => {
    const few = fc.constantFrom('a', 'a&A=1', 'a%26', 'A', '1', '&R=a', '=');
    const close = fc.record(
      { profileId: fc.constant(PROFILE), description: few, reference: few },
      { requiredKeys: ['profileId'] },
    );
    fc.assert(
      fc.property(close, close, (one, other) => {
        const isSame = one.description === other.description && one.reference === other.reference;
        expect(valueOf(templateUrl(one)) === valueOf(templateUrl(other))).toBe(isSame);
      }),
    );
  });

  it('PCQ-27: may leave everything to the payer', () => {
    expect(valueOf(templateUrl({ profileId: PROFILE }))).toBe(CONTENT);
    expect(parseTemplateUrl(CONTENT)).toEqual({ profileId: PROFILE });
  });

  it.each<[string, Partial<Template>]>([
    ['one cent', { amount: EUR('1') }],
    ['9999.99 euros', { amount: EUR('999999') }],
    ['texts of 35 characters', { description: 'd'.repeat(35), reference: 'r'.repeat(35) }],
  ])('PCQ-24: takes %s', (_, change) => {
    expect(brokenFields(templateUrl({ profileId: PROFILE, ...change }))).toEqual([]);
  });

  it.each<[string, Partial<Template>, string]>([
    ['no amount at all', { amount: EUR('0') }, 'amount.minor'],
    ['a negative amount', { amount: EUR('-1') }, 'amount.minor'],
    ['10000 euros', { amount: EUR('1000000') }, 'amount.minor'],
    [
      'an amount with a decimal point',
      { amount: { minor: '1.5', currency: 'EUR' } },
      'amount.minor',
    ],
    ['an amount with zeros in front', { amount: { minor: '01', currency: 'EUR' } }, 'amount.minor'],
    ['another currency', { amount: money('100', 'USD') }, 'amount.currency'],
    ['36 characters of description', { description: 'd'.repeat(36) }, 'description'],
    ['an empty description', { description: '' }, 'description'],
    ['36 characters of reference', { reference: 'r'.repeat(36) }, 'reference'],
    ['a line break', { reference: 'r\n' }, 'reference'],
    ['half of a character', { description: '\udc00' }, 'description'],
    ['a profile with a query', { profileId: `${PROFILE}?D=x` }, 'profileId'],
  ])('PCQ-24: is refused for %s', (_, change, field) => {
    expect(brokenFields(templateUrl({ profileId: PROFILE, ...change }))).toContain(field);
  });

  it('PCQ-24: tells every broken rule at once, and shows no text of the payer', () => {
    const built = templateUrl({
      profileId: '',
      amount: EUR('0'),
      description: `Jane Doe ${'x'.repeat(30)}`,
    });
    expect(brokenFields(built)).toEqual(['profileId', 'amount.minor', 'description']);
    expect(JSON.stringify(built)).not.toContain('Jane');
  });
});

describe('an invoice', () => {
  const [unstructured, structured] = vectors.invoiceDeeplinks;

  it('PCQ-26: its deeplink is the URL its code says (L5387)', () => {
    const { profileId, cents, description, reference, url } = unstructured;
    expect(
      valueOf(
        templateUrl({
          profileId,
          amount: EUR(cents),
          ...(description && { description }),
          ...(reference && { reference }),
        }),
      ),
    ).toBe(url);
  });

  it.each(['173855053134', '+++173/8550/53134+++'])(
    'PCQ-26: with structured remittance the deeplink has the OGM %s and no reference (L5401)',
    (communication) => {
      const { profileId, cents, url } = structured;
      expect(valueOf(structuredInvoiceUrl({ profileId, amount: EUR(cents), communication }))).toBe(
        url,
      );
    },
  );

  it('PCQ-25: any OGM comes back out of its URL', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\d{10}$/), (number) => {
        const communication = valueOf(buildOgm(number));
        const url = valueOf(structuredInvoiceUrl({ profileId: PROFILE, communication }));
        expect(parseTemplateUrl(url)).toEqual({ profileId: PROFILE, description: communication });
      }),
    );
  });

  it('PCQ-25: an OGM with wrong check digits is refused, with all else that is wrong', () => {
    const built = structuredInvoiceUrl({
      profileId: '',
      amount: EUR('0'),
      communication: '173855053135',
    });
    expect(brokenFields(built)).toEqual(['profileId', 'amount.minor', 'communication']);
  });
});

describe('reading a printed URL', () => {
  it.each([
    ['another host', `https://payconiq.example/t/1/${PROFILE}?A=1`],
    ['plain http', `http://payconiq.com/t/1/${PROFILE}?A=1`],
    ['a sticker', vectors.sticker.content],
    ['no profile', 'https://payconiq.com/t/1/?A=1'],
    ['an amount that is none', `${CONTENT}?A=1.00`],
    ['too large an amount', `${CONTENT}?A=1000000`],
    ['an amount twice', `${CONTENT}?A=1&A=2`],
    ['broken encoding', `${CONTENT}?D=%E0%A4`],
    ['36 characters', `${CONTENT}?R=${'r'.repeat(36)}`],
    ['a line break', `${CONTENT}?R=%0A`],
  ])('PCQ-24: does not take %s for a template', (_, url) => {
    expect(parseTemplateUrl(url)).toBeUndefined();
  });

  it('PCQ-24: passes over empty and unknown parameters, and takes + for itself', () => {
    expect(parseTemplateUrl(`${CONTENT}?D=&X=1&R=a+b`)).toEqual({
      profileId: PROFILE,
      reference: 'a+b',
    });
  });

  it('PCQ-24: never throws, whatever is scanned', () => {
    const anyUrl = fc.oneof(
      anyText(60),
      anyText(60).map((tail) => `${CONTENT}?D=${tail}`),
    );
    fc.assert(
      fc.property(anyUrl, (url) => {
        const read = parseTemplateUrl(url);
        if (read) expect(brokenFields(templateUrl(read))).toEqual([]);
      }),
    );
  });
});
