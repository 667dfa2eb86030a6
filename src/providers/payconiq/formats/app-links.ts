/**
 * Links that open the Payconiq app, or Payconiq's own page, and bring the payer back.
 *
 * Coming back proves nothing: the return URL is called after success and failure alike, carries no
 * result, and may not be called at all, so the payment has to be read.
 * @see payconiq.txt L7986-8008, L8384-8485
 */
import { check, checked, checkName, type Checked } from './check.js';
import { append, checkHttpsUrl, countParameter, encode } from './url.js';
import type { Violation } from '../../../domain/problem.js';

/** Which app shall open. That of Bancontact wants the link in lower case. @see payconiq.txt L8160 */
const APPS = {
  payconiq: { spell: (deeplink: string) => deeplink },
  bancontact: { spell: (deeplink: string) => deeplink.toLowerCase() },
} as const satisfies Record<string, { readonly spell: (deeplink: string) => string }>;

export interface AppLink {
  /** `_links.deeplink.href` of the payment. */
  readonly deeplink: string;
  /** An https universal link of the calling app, or a web page, not yet encoded. */
  readonly returnUrl: string;
  /** `payconiq` by default. */
  readonly app?: keyof typeof APPS;
}

/**
 * The universal link that opens the app on this payment and then the return URL. The return URL
 * keeps its letters for every app: its path may tell large from small.
 * @see payconiq.txt L7990-8002, L8160, L8318-8381
 */
export function appLink({ deeplink, returnUrl, app = 'payconiq' }: AppLink): Checked<string> {
  const violations: readonly Violation[] = [
    ...checkHttpsUrl('deeplink', deeplink),
    ...check(countParameter(deeplink, 'returnUrl') === 0, {
      field: 'deeplink',
      rule: 'must not carry a returnUrl yet',
    }),
    ...checkHttpsUrl('returnUrl', returnUrl),
    ...checkName('app', app, APPS),
  ];
  return checked(violations, () =>
    append(APPS[app].spell(deeplink), [['returnUrl', encode(returnUrl)]]),
  );
}

/** @see payconiq.txt L8408-8414, L8454-8460 */
const MOBILE_SYSTEMS = { ios: /iphone|ipad|ipod/i, android: /android/i } as const satisfies Record<
  string,
  RegExp
>;

export type MobileSystem = keyof typeof MOBILE_SYSTEMS;

/** The phone's system by a browser's user agent; undefined for anything else. */
export function mobileSystemOf(userAgent: string): MobileSystem | undefined {
  // Windows phones call themselves both, and have no Payconiq app.
  if (/windows phone/i.test(userAgent)) return undefined;
  const systems = Object.entries(MOBILE_SYSTEMS) as [MobileSystem, RegExp][];
  return systems.find(([, pattern]) => pattern.test(userAgent))?.[0];
}

export type BrowserLink =
  | { readonly kind: 'app'; readonly system: MobileSystem; readonly url: string }
  /** Not a phone: nothing to open, so the payer scans. */
  | { readonly kind: 'show_qr' };

/**
 * What a web page's pay button does in this browser. Both systems take the same universal link; a
 * phone without the app is led to its store. In EXT only the EXT app may be installed (L8394).
 * @see payconiq.txt L8386-8390, L8421-8430, L8470-8479
 */
export function browserLink({
  userAgent,
  ...link
}: AppLink & { readonly userAgent: string }): Checked<BrowserLink> {
  const system = mobileSystemOf(userAgent);
  if (system === undefined) return { value: { kind: 'show_qr' } };
  const built = appLink(link);
  return 'violations' in built ? built : { value: { kind: 'app', system, url: built.value } };
}

/**
 * The hosted checkout page of a payment, which is also App2App's fallback page: `_links.checkout
 * .href` as it came, because its token is bound to the payment. Whoever has the link has the token,
 * so no violation shows it. Valid for 1200 seconds. @see payconiq.txt L6445-6447, L7947-7949, L8155
 */
export function checkoutLink(href: string): Checked<string> {
  const violations = [
    ...checkHttpsUrl('checkout', href),
    ...check(countParameter(href, 'token') === 1, {
      field: 'checkout',
      rule: 'must carry its token',
    }),
  ];
  return checked(violations, () => href);
}
