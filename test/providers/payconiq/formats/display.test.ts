import { describe, expect, it, test } from 'vitest';
import {
  BRAND,
  QR_COLOURS,
  QR_SIZES,
  frameBorderPx,
  qrFormatFor,
  qrSizeFor,
  type QrSize,
} from '../../../../src/providers/payconiq/formats/display.js';

describe('how Payconiq wants to be shown', () => {
  test.each<[QrSize, number, number]>([
    ['S', 180, 15],
    ['M', 250, 20],
    ['L', 400, 30],
    ['XL', 800, 40],
  ])('PCQ-38: size %s has %d pixels and is scanned from %d cm (L181-185)', (size, pixels, cm) => {
    expect(QR_SIZES[size]).toEqual({ pixels, scanDistanceCm: cm });
    expect(qrSizeFor(cm)).toBe(size);
    expect(frameBorderPx(size)).toBe(pixels / 10);
  });

  it('PCQ-38: from one centimetre further a larger size is needed, and past 40 there is none', () => {
    expect([1, 15.5, 21, 31].map(qrSizeFor)).toEqual(['S', 'M', 'L', 'XL']);
    expect(qrSizeFor(41)).toBeUndefined();
  });

  it('PCQ-38: the code is the darkest magenta, the brand another (L11700)', () => {
    expect([QR_COLOURS.magenta, BRAND.colour]).toEqual(['#7B314A', '#FF4785']);
  });

  it('PCQ-38: a screen with more pixels than the image takes an SVG (L11783)', () => {
    expect(qrFormatFor({ devicePixels: 180, size: 'S' })).toBe('PNG');
    expect(qrFormatFor({ devicePixels: 181, size: 'S' })).toBe('SVG');
  });

  test.each([
    ['logo', BRAND.logo, [120, 20]],
    ['mark', BRAND.mark, [31, 14]],
  ] as const)(
    'PCQ-38: the smallest %s is the smallest that the document has',
    (_, image, smallest) => {
      expect([image.minWidthPx, image.minHeightPx]).toEqual(smallest);
      expect(image.imagesPx.at(-1)).toEqual(smallest);
    },
  );
});
