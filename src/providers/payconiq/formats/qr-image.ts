/**
 * Payconiq's codes drawn here, in the sizes, formats and colours of its own service, so that a
 * receipt can be printed without asking anybody. The frame with the logo is the merchant's to add.
 * @see payconiq.txt L165-204, L1170-1216, L11698-11717
 */
import { encode as encodeQr } from 'uqr';
import type { Violation } from '../../../domain/problem.js';
import { check, checked, type Checked } from './check.js';
import { BRAND, QR_COLOURS, QR_DEFAULTS, QR_FORMATS, QR_SIZES, type QrSize } from './display.js';
import { encodePng } from './png.js';
import { checkStyle, type QrStyle } from './qr-links.js';

export interface QrImageRequest extends QrStyle {
  /** What the code says, e.g. a template URL: 1 to 2000 printable ASCII characters. */
  readonly content: string;
}

export type QrImage =
  | { readonly mediaType: 'image/svg+xml'; readonly body: string }
  | { readonly mediaType: 'image/png'; readonly body: Uint8Array };

/** White space that a scanner needs on each side, in modules (ISO/IEC 18004). */
const QUIET_ZONE = 4;
/** Below this a phone's camera no longer tells the modules apart. */
const MIN_PIXELS_PER_MODULE = 2;

/**
 * Draws a code. PNG, size S and magenta where nothing else is said; an SVG has no size of its own. A
 * PNG has exactly the size's pixels: whole pixels per module, and white around. Long content needs
 * a larger size than S.
 */
export function renderQr(request: QrImageRequest): Checked<QrImage> {
  const { format, size, colour } = { ...QR_DEFAULTS, ...request };
  const violations = [...checkContent(request.content), ...checkStyle(request)];
  if (violations.length > 0) return { violations };
  const modules = modulesOf(request.content);
  const foreground = QR_COLOURS[colour];
  if (format === 'SVG') {
    return { value: { mediaType: QR_FORMATS.SVG.mediaType, body: svgOf(modules, foreground) } };
  }
  return checked(checkFits(modules, size), () => ({
    mediaType: QR_FORMATS.PNG.mediaType,
    body: pngOf(modules, { foreground, size }),
  }));
}

/** Rows of modules, true where one is dark, without a quiet zone. */
type Modules = readonly (readonly boolean[])[];

/** At least medium error correction, because paper gets scratched; more where it costs no space. */
function modulesOf(content: string): Modules {
  return encodeQr(content, { ecc: 'M', boostEcc: true, border: 0 }).data;
}

function checkContent(content: string): readonly Violation[] {
  return check(/^[\x21-\x7e]{1,2000}$/.test(content), {
    field: 'content',
    rule: 'must have 1 to 2000 printable ASCII characters: a URL',
    value: `${content.length} characters`,
  });
}

function checkFits(modules: Modules, size: QrSize): readonly Violation[] {
  const rule = 'is too small for so much content: take a larger size, or SVG';
  return check(pixelsPerModule(modules, size) >= MIN_PIXELS_PER_MODULE, {
    field: 'size',
    rule,
    value: size,
  });
}

function pixelsPerModule(modules: Modules, size: QrSize): number {
  return Math.floor(QR_SIZES[size].pixels / (modules.length + 2 * QUIET_ZONE));
}

function pngOf(
  modules: Modules,
  { foreground, size }: { readonly foreground: string; readonly size: QrSize },
): Uint8Array {
  const { pixels } = QR_SIZES[size];
  const scale = pixelsPerModule(modules, size);
  const margin = Math.floor((pixels - modules.length * scale) / 2);
  const moduleAt = (pixel: number) => Math.floor((pixel - margin) / scale);
  return encodePng({
    pixels,
    colours: [BRAND.qrCode.background, foreground],
    isSet: (x, y) => modules[moduleAt(y)]?.[moduleAt(x)] ?? false,
  });
}

function svgOf(modules: Modules, foreground: string): string {
  const side = modules.length + 2 * QUIET_ZONE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges">`,
    `<path fill="${BRAND.qrCode.background}" d="M0 0h${side}v${side}H0z"/>`,
    `<path fill="${foreground}" d="${pathOf(modules)}"/>`,
    '</svg>',
  ].join('');
}

/** Neighbouring dark modules of a row become one rectangle, so that no seam shows between them. */
function pathOf(modules: Modules): string {
  return modules
    .flatMap((row, y) =>
      runsOf(row).map(([x, width]) => `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h${width}v1h-${width}z`),
    )
    .join('');
}

function runsOf(row: readonly boolean[]): readonly (readonly [start: number, width: number])[] {
  const runs: [number, number][] = [];
  row.forEach((isDark, x) => {
    const last = runs.at(-1);
    if (isDark && last && last[0] + last[1] === x) last[1] += 1;
    else if (isDark) runs.push([x, 1]);
  });
  return runs;
}
