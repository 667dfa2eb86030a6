import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  appLink,
  browserLink,
  checkoutLink,
  mobileSystemOf,
} from '../../../../src/providers/payconiq/formats/app-links.js';
import { jsonVector } from '../vectors.js';
import { brokenFields, valueOf } from './outcome.js';

interface Vectors {
  readonly deeplink: { readonly href: string };
  readonly checkout: { readonly href: string };
}

const vectors = await jsonVector<Vectors>('app-links');
const deeplink = vectors.deeplink.href;
const checkout = vectors.checkout.href;
const returnUrl = 'https://shop.example/Thanks/Order-1?id=A&b=%C3%BC';
const ENCODED = 'https%3A%2F%2Fshop.example%2FThanks%2FOrder-1%3Fid%3DA%26b%3D%25C3%25BC';

/** Any path and query, of which some are encoded already. */
const webPage = fc
  .stringMatching(/^[!$-;=?-Z_a-z~]{0,40}$/)
  .map((tail) => `https://shop.example/${tail}`);

const AGENTS = {
  iphone:
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
  android:
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36',
  windowsPhone:
    'Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; ARM; Trident/7.0; like iPhone OS 7_0_3) like Gecko',
  desktop: 'Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0',
};

describe('a link from app to app', () => {
  it('PCQ-28: is the deeplink with the encoded return URL', () => {
    expect(valueOf(appLink({ deeplink, returnUrl }))).toBe(`${deeplink}?returnUrl=${ENCODED}`);
  });

  it('PCQ-28: leads back to exactly the URL that was given', () => {
    fc.assert(
      fc.property(webPage, (url) => {
        const link = new URL(valueOf(appLink({ deeplink, returnUrl: url })));
        expect([...link.searchParams]).toEqual([['returnUrl', url]]);
      }),
    );
  });

  it('PCQ-28: for the Bancontact app the deeplink is in lower case, the return URL is not', () => {
    const shouting = deeplink.replace('/pay/2/5bdb', '/Pay/2/5BDB');
    const link = valueOf(appLink({ deeplink: shouting, returnUrl, app: 'bancontact' }));
    expect(link).toBe(`${deeplink}?returnUrl=${ENCODED}`);
    expect(valueOf(appLink({ deeplink: shouting, returnUrl }))).toBe(
      `${shouting}?returnUrl=${ENCODED}`,
    );
  });

  it('PCQ-28: keeps a query that the deeplink has', () => {
    expect(valueOf(appLink({ deeplink: `${deeplink}?v=2`, returnUrl }))).toBe(
      `${deeplink}?v=2&returnUrl=${ENCODED}`,
    );
  });

  test.each<[string, object, string]>([
    ['a return URL without https', { returnUrl: 'http://shop.example/' }, 'returnUrl'],
    [
      'the sample’s return URL without a scheme (L8427)',
      { returnUrl: 'www.example.com' },
      'returnUrl',
    ],
    ['a return URL of an app’s own scheme', { returnUrl: 'myshop://paid' }, 'returnUrl'],
    ['a return URL with a space', { returnUrl: 'https://shop.example/a b' }, 'returnUrl'],
    [
      'a return URL of 2049 characters',
      { returnUrl: `https://shop.example/${'a'.repeat(2028)}` },
      'returnUrl',
    ],
    ['a return URL without a host', { returnUrl: 'https://?' }, 'returnUrl'],
    ['a deeplink that returns elsewhere', { deeplink: `${deeplink}?returnUrl=x` }, 'deeplink'],
    ['a deeplink without https', { deeplink: 'payconiq://pay/2/1' }, 'deeplink'],
    ['another app', { app: 'wallet' }, 'app'],
  ])('PCQ-28: is refused for %s', (_, change, field) => {
    expect(brokenFields(appLink({ deeplink, returnUrl, ...change }))).toContain(field);
  });
});

describe('a pay button on a web page', () => {
  test.each([
    ['ios', AGENTS.iphone],
    ['android', AGENTS.android],
  ])('PCQ-29: opens the same link on %s', (system, userAgent) => {
    expect(valueOf(browserLink({ deeplink, returnUrl, userAgent }))).toEqual({
      kind: 'app',
      system,
      url: valueOf(appLink({ deeplink, returnUrl })),
    });
  });

  test.each([
    ['a desktop browser', AGENTS.desktop],
    ['a Windows phone, which calls itself both others', AGENTS.windowsPhone],
    ['a browser that says nothing', ''],
  ])('PCQ-29: shows the QR code in %s', (_, userAgent) => {
    expect(mobileSystemOf(userAgent)).toBeUndefined();
    expect(valueOf(browserLink({ deeplink, returnUrl, userAgent }))).toEqual({ kind: 'show_qr' });
  });

  it('PCQ-29: is refused where the return URL is', () => {
    const link = { deeplink, returnUrl: 'shop.example', userAgent: AGENTS.iphone };
    expect(brokenFields(browserLink(link))).toContain('returnUrl');
  });
});

describe('the checkout page', () => {
  it('PCQ-30: is opened by the link as it came (L8155)', () => {
    expect(valueOf(checkoutLink(checkout))).toBe(checkout);
  });

  test.each([
    ['no https', checkout.replace('https:', 'http:')],
    ['no token', checkout.replace('token=', 'k=')],
    ['a line break', `${checkout}\n`],
  ])('PCQ-30: is refused for %s, and its token is not told', (_, href) => {
    const built = checkoutLink(href);
    expect(brokenFields(built)).toContain('checkout');
    expect(JSON.stringify(built)).not.toContain('530ea8a4');
  });
});
