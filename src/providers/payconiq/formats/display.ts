/**
 * How Payconiq wants to be shown, as data for whoever designs a screen, a sticker or a letter.
 * @see payconiq.txt L165-261, L11678-11783
 */

/** Sizes of QR images, with the distance they can be scanned from. @see payconiq.txt L181-185 */
export const QR_SIZES = {
  S: { pixels: 180, scanDistanceCm: 15 },
  M: { pixels: 250, scanDistanceCm: 20 },
  L: { pixels: 400, scanDistanceCm: 30 },
  XL: { pixels: 800, scanDistanceCm: 40 },
} as const satisfies Record<string, { readonly pixels: number; readonly scanDistanceCm: number }>;

export type QrSize = keyof typeof QR_SIZES;

/** Always on white. Magenta is the darkest shade, not the brand's. @see payconiq.txt L189, L11700 */
export const QR_COLOURS = { magenta: '#7B314A', black: '#000000' } as const satisfies Record<
  string,
  `#${string}`
>;

export type QrColour = keyof typeof QR_COLOURS;

export const QR_FORMATS = {
  SVG: { mediaType: 'image/svg+xml', hasSizes: false },
  PNG: { mediaType: 'image/png', hasSizes: true },
} as const satisfies Record<string, { readonly mediaType: string; readonly hasSizes: boolean }>;

export type QrFormat = keyof typeof QR_FORMATS;

/** What the QR generation service takes where nothing is said. @see payconiq.txt L1175 */
export const QR_DEFAULTS = { format: 'PNG', size: 'S', colour: 'magenta' } as const;

export const BRAND = {
  /** The primary colour: of the frame and the logo. */
  colour: '#FF4785',
  qrCode: {
    colour: QR_COLOURS.magenta,
    background: '#FFFFFF',
    /** The code stands in Payconiq's frame, which has its logo above the code (L194, L11722). */
    frame: { borderPercent: 10, sides: ['left', 'right', 'bottom'], formats: ['PNG', 'SVG'] },
  },
  /** On a payment button, preferably. The document's images, in pixels, widest first. */
  logo: {
    minWidthPx: 120,
    minHeightPx: 20,
    minHeightMm: 4,
    imagesPx: [
      [363, 60],
      [242, 40],
      [182, 30],
      [120, 20],
    ],
  },
  /** Where space is short, with the word beside it. */
  mark: {
    word: 'Payconiq',
    minWidthPx: 31,
    minHeightPx: 14,
    minHeightMm: 3,
    imagesPx: [
      [93, 42],
      [62, 28],
      [47, 21],
      [31, 14],
    ],
  },
} as const;

/** The smallest size that can be scanned from so far; undefined past the document's 40 cm. */
export function qrSizeFor(scanDistanceCm: number): QrSize | undefined {
  const sizes = Object.entries(QR_SIZES) as [QrSize, (typeof QR_SIZES)[QrSize]][];
  return sizes.find(([, size]) => size.scanDistanceCm >= scanDistanceCm)?.[0];
}

/**
 * The format to show a code in: SVG once the screen gives it more device pixels than the image of
 * this size has. @see payconiq.txt L260, L11783
 */
export function qrFormatFor(shown: {
  readonly devicePixels: number;
  readonly size: QrSize;
}): QrFormat {
  return shown.devicePixels > QR_SIZES[shown.size].pixels ? 'SVG' : 'PNG';
}

/** Width in pixels of the frame's border beside and below a code of this size. */
export function frameBorderPx(size: QrSize): number {
  return (QR_SIZES[size].pixels * BRAND.qrCode.frame.borderPercent) / 100;
}
