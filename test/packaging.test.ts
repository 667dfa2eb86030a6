/** What callers in TypeScript can import: the paths that package.json exports, and no others. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
}

const ROOT = new URL('../', import.meta.url);
const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as Manifest;

/** The source that the build makes a file of. */
const sourceOf = (built: string): URL =>
  new URL(built.replace(/^\.\/dist\//, 'src/').replace(/(\.d\.ts|\.js)$/, '.ts'), ROOT);

const imported = (path: string): Promise<Record<string, unknown>> =>
  import(sourceOf(exports[path]!.default).href) as Promise<Record<string, unknown>>;

describe('the package exports', () => {
  it('the client and the formats', () => {
    expect(Object.keys(exports)).toEqual(['./client', './payconiq']);
  });

  it.each(Object.keys(exports))('%s, with its types from the same source', (path) => {
    const { types, default: code } = exports[path]!;
    expect(existsSync(sourceOf(code))).toBe(true);
    expect(sourceOf(types).href).toBe(sourceOf(code).href);
  });
});

test("Payconiq's formats are functions and tables behind one door", async () => {
  const formats = await imported('./payconiq');
  expect(Object.keys(formats).sort()).toEqual([
    'BRAND',
    'PORTALS',
    'QR_COLOURS',
    'QR_DEFAULTS',
    'QR_FORMATS',
    'QR_SIZES',
    'appLink',
    'browserLink',
    'buildOgm',
    'buildRemittance',
    'checkoutLink',
    'endToEndIdOf',
    'formatOgm',
    'frameBorderPx',
    'mobileSystemOf',
    'parseOgm',
    'parseRemittance',
    'parseStickerUrl',
    'parseTemplateUrl',
    'qrFormatFor',
    'qrServiceUrl',
    'qrSizeFor',
    'renderQr',
    'stickerUrl',
    'structuredInvoiceUrl',
    'styleQrLink',
    'templateUrl',
  ]);
});
