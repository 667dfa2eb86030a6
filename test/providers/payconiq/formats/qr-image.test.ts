import jsQrModule from 'jsqr';
import { PNG } from 'pngjs';
import { describe, expect, it, test } from 'vitest';
import { money } from '../../../../src/domain/money.js';
import {
  QR_COLOURS,
  QR_SIZES,
  type QrColour,
  type QrSize,
} from '../../../../src/providers/payconiq/formats/display.js';
import {
  renderQr,
  type QrImageRequest,
} from '../../../../src/providers/payconiq/formats/qr-image.js';
import { stickerUrl, templateUrl } from '../../../../src/providers/payconiq/formats/qr-links.js';
import { brokenFields, valueOf } from './outcome.js';

// A CommonJS package whose types promise a default export that Node nests once more.
const jsQr = jsQrModule as unknown as typeof jsQrModule.default;

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const PROFILE = '5c18cbd1296e9a26d3278518';
const CONTENTS = {
  sticker: valueOf(stickerUrl({ profileId: PROFILE, posId: 'POS00001' })),
  receipt: valueOf(
    templateUrl({
      profileId: PROFILE,
      amount: money(1000, 'EUR'),
      description: 'Invoice Payment',
      reference: 'sd89sd91?sd9',
    }),
  ),
};
/** The longest that a template can get: every character of both texts becomes nine. */
const LONGEST = valueOf(
  templateUrl({
    profileId: PROFILE,
    amount: money(999_999, 'EUR'),
    description: '€'.repeat(35),
    reference: '€'.repeat(35),
  }),
);

/** What a scanner reads from an image that is dark on light. */
function scan({ data, width, height }: Pixels): string | undefined {
  const found = jsQr(new Uint8ClampedArray(data), width, height, {
    inversionAttempts: 'dontInvert',
  });
  return found?.data;
}

function pngOf(request: QrImageRequest): Pixels {
  const { mediaType, body } = valueOf(renderQr(request));
  if (mediaType !== 'image/png') throw new Error(`not a PNG: ${mediaType}`);
  return PNG.sync.read(Buffer.from(body), { checkCRC: true });
}

/** Draws the rectangles of our SVG, four pixels to the module. */
function pixelsOf(svg: string): Pixels {
  const scale = 4;
  const side = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
  const width = side * scale;
  const data = new Uint8Array(width * width * 4).fill(255);
  for (const [, x, y, length] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1) {
      const from = row * width + Number(x) * scale;
      for (let at = from; at < from + Number(length) * scale; at += 1)
        data.fill(0, at * 4, at * 4 + 3);
    }
  }
  return { width, height: width, data };
}

function coloursOf({ data }: Pixels): Set<string> {
  const colours = new Set<string>();
  for (let at = 0; at < data.length; at += 4) {
    colours.add(Buffer.from(data.subarray(at, at + 4)).toString('hex'));
  }
  return colours;
}

const cases = (Object.keys(QR_SIZES) as QrSize[]).flatMap((size) =>
  (Object.keys(QR_COLOURS) as QrColour[]).map((colour) => ({ size, colour })),
);

describe('a PNG drawn here', () => {
  test.each(cases)(
    'PCQ-22: of size $size in $colour is scanned as what it should say',
    ({ size, colour }) => {
      const content = CONTENTS.receipt;
      const image = pngOf({ content, format: 'PNG', size, colour });
      expect([image.width, image.height]).toEqual([QR_SIZES[size].pixels, QR_SIZES[size].pixels]);
      expect(coloursOf(image)).toEqual(
        new Set(['ffffffff', `${QR_COLOURS[colour].slice(1).toLowerCase()}ff`]),
      );
      expect(scan(image)).toBe(content);
    },
  );

  it('PCQ-23: of a sticker, small and magenta where nothing else is said, is scanned', () => {
    const content = CONTENTS.sticker;
    const asked = { content, format: 'PNG', size: 'S', colour: 'magenta' } as const;
    expect(renderQr({ content })).toEqual(renderQr(asked));
    expect(scan(pngOf({ content }))).toBe(content);
  });

  it('PCQ-24: of the longest template is scanned in L', () => {
    expect(scan(pngOf({ content: LONGEST, size: 'L' }))).toBe(LONGEST);
  });

  it('PCQ-24: of the longest template is refused in S, where no camera could tell its modules', () => {
    expect(brokenFields(renderQr({ content: LONGEST, size: 'S' }))).toEqual(['size']);
  });
});

describe('an SVG drawn here', () => {
  test.each(Object.entries({ ...CONTENTS, longest: LONGEST }))(
    'PCQ-22: of the %s is scanned as what it should say',
    (_, content) => {
      const { mediaType, body } = valueOf(renderQr({ content, format: 'SVG' }));
      expect(mediaType).toBe('image/svg+xml');
      expect(body).toContain('fill="#7B314A"');
      expect(scan(pixelsOf(String(body)))).toBe(content);
    },
  );

  it('PCQ-22: is black where asked', () => {
    const { body } = valueOf(
      renderQr({ content: CONTENTS.sticker, format: 'SVG', colour: 'black' }),
    );
    expect(body).toContain('fill="#000000"');
    expect(body).not.toContain('#7B314A');
  });
});

describe('an image that is asked for wrongly', () => {
  test.each<[string, object, string]>([
    ['no content', { content: '' }, 'content'],
    ['content that was not encoded', { content: 'https://payconiq.com/l/1/a/café' }, 'content'],
    ['2001 characters', { content: 'a'.repeat(2001) }, 'content'],
    ['a size for an SVG', { format: 'SVG', size: 'S' }, 'size'],
    ['a format that is not drawn', { format: 'JPEG' }, 'format'],
    ['another colour', { colour: '#FF4785' }, 'colour'],
  ])('PCQ-22: is refused for %s', (_, change, field) => {
    expect(brokenFields(renderQr({ content: CONTENTS.sticker, ...change }))).toContain(field);
  });

  it('PCQ-22: 2000 characters still fit', () => {
    const content = `https://x/${'a'.repeat(1990)}`;
    expect(brokenFields(renderQr({ content, size: 'XL' }))).toEqual([]);
  });
});
