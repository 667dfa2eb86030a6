/** What a creation says to Payconiq, and what its answer asks of the payer. Pure. */
import type { NextAction, PaymentRequest } from '../../domain/payment.js';
import type { PayconiqSettings } from './config.js';
import type { OptionsOf, PayconiqOptions } from './flavours.js';
import { appLink } from './formats/app-links.js';
import { qrServiceUrl, stickerUrl } from './formats/qr-links.js';
import type { CreateAnswer } from './wire.js';

/** The body of a creation. @see payconiq.txt L917-960, L2786-2832, L6540-6600, L12330-12411 */
export function buildCreate(
  request: PaymentRequest,
  options: PayconiqOptions,
  callbackUrl: string | undefined,
): Record<string, unknown> {
  return {
    amount: Number(request.amount.minor),
    currency: request.amount.currency,
    callbackUrl,
    description: request.description,
    reference: request.merchantReference,
    returnUrl: request.returnUrl,
    ...ownFields(options),
  };
}

/** What the flavour adds to the body; our own two words stay here. */
function ownFields(options: PayconiqOptions): Record<string, unknown> {
  const { provider: _provider, flavour: _flavour, ...fields } = options;
  const { app: _app, fallbackPage: _page, ...sent } = fields as Record<string, unknown>;
  return sent;
}

type Created = Pick<CreateAnswer, 'paymentId' | '_links'> & { readonly payerDeadline: string };

/**
 * Where the payer goes: to the sticker, to the app, to the hosted checkout page where a return URL
 * was asked for, else to the QR code to be shown.
 */
export function nextActionOf(
  settings: Pick<PayconiqSettings, 'environment' | 'portalUrl' | 'profileId'>,
  asked: {
    readonly request: Pick<PaymentRequest, 'returnUrl'>;
    readonly options: PayconiqOptions;
  },
  created: Created,
): NextAction {
  const { request, options } = asked;
  const { checkout, deeplink, qrcode } = created._links ?? {};
  const content = deeplink?.href ?? `https://payconiq.com/pay/2/${created.paymentId}`;
  const qrCode = { content, ...(qrcode && { imageUrl: qrcode.href }) };
  const expiresAt = new Date(created.payerDeadline).toISOString();
  if (options.flavour === 'sticker') {
    const printed = stickerCode(settings, options);
    return { kind: 'qr_code', qrCode: printed ?? qrCode, appLink: content, expiresAt };
  }
  if (options.flavour === 'app' && request.returnUrl !== undefined) {
    const url = appUrl({ deeplink: content, returnUrl: request.returnUrl, checkout }, options);
    return { kind: 'app_link', url, qrCode, appLink: url, expiresAt };
  }
  const common = { qrCode, appLink: content, expiresAt };
  return request.returnUrl !== undefined && checkout
    ? { kind: 'redirect', url: checkout.href, ...common }
    : { kind: 'qr_code', ...common };
}

/** What is printed at the point of sale; undefined for a profile id that no sticker can carry. */
function stickerCode(
  settings: Pick<PayconiqSettings, 'environment' | 'portalUrl' | 'profileId'>,
  { posId }: OptionsOf<'sticker'>,
): NextAction['qrCode'] {
  const { profileId } = settings;
  const content = stickerUrl({ profileId, posId });
  if ('violations' in content) return undefined;
  return codeOf(settings, content.value);
}

/** A code with the image that Payconiq's service draws of it. */
export function codeOf(
  { environment, portalUrl }: Pick<PayconiqSettings, 'environment' | 'portalUrl'>,
  content: string,
): NonNullable<NextAction['qrCode']> {
  const image = qrServiceUrl({ environment, portalUrl, content });
  return { content, ...('value' in image && { imageUrl: image.value }) };
}

/** @see payconiq.txt L7947-7949 (with its page as fallback), L8318-8381 */
function appUrl(
  links: {
    readonly deeplink: string;
    readonly returnUrl: string;
    readonly checkout: { readonly href: string } | undefined;
  },
  { app, fallbackPage }: OptionsOf<'app'>,
): string {
  const { deeplink, returnUrl, checkout } = links;
  if (fallbackPage && checkout) return checkout.href;
  const built = appLink({ deeplink, returnUrl, app });
  return 'value' in built ? built.value : deeplink;
}
