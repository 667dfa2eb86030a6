import type { CallbackAnswer, Poster } from './callback-post.js';
import type { Scheduler } from './clock.js';
import type { Forgery } from './faults.js';
import { forge } from './forgery.js';
import { SandboxStateError } from './payment-book.js';
import type { SandboxPayment } from './payment.js';
import { callbackHeaders, type MerchantProfile } from './render.js';
import { providerClaims, signAs } from './signing-keys.js';
import type { SigningKeys } from './signing-keys.js';

export interface LoyaltyMatch {
  /** Of the loyalty scheme, as it was given to the provider. */
  readonly url: string;
  readonly userAccountId: string;
  readonly merchantAccountId?: string;
  /** In the place of the body's own fields. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly forgery?: Forgery;
}

export interface SandboxLoyalty {
  /**
   * Registers a paid payment at a loyalty scheme, once, with a signature of its own, and tells what
   * was answered. @see payconiq.txt L732-810
   *
   * @throws SandboxStateError when there is no such payment, or it is not paid
   */
  register(
    paymentId: string,
    match: LoyaltyMatch,
  ): Promise<{ readonly answer: CallbackAnswer; readonly body: string }>;
}

export interface LoyaltyOptions {
  readonly clock: Scheduler;
  readonly keys: SigningKeys;
  readonly profile: MerchantProfile;
  readonly poster: Poster;
  readonly findPayment: (paymentId: string) => SandboxPayment | undefined;
}

export function createLoyalty(options: LoyaltyOptions): SandboxLoyalty {
  const { clock, keys, profile, poster } = options;
  return {
    async register(paymentId, match) {
      clock.settle();
      const payment = options.findPayment(paymentId);
      if (payment?.status !== 'SUCCEEDED') throw new SandboxStateError(`${paymentId} is not paid`);
      const body = bodyOf(payment, match);
      const claims = { subject: profile.profileId, path: match.url, at: clock.now() };
      const genuine = { key: keys.current(), claims, body };
      const sent = match.forgery
        ? await forge(match.forgery, genuine)
        : {
            body,
            signature: await signAs(genuine.key, { header: providerClaims(claims), payload: body }),
          };
      return poster.ask({
        url: match.url,
        headers: callbackHeaders(sent.signature),
        body: sent.body.toString('utf8'),
      });
    },
  };
}

function bodyOf(payment: SandboxPayment, match: LoyaltyMatch): Buffer {
  const { userAccountId, merchantAccountId, fields } = match;
  const { paymentId, amount } = payment;
  const body = {
    userAccountId,
    ...(merchantAccountId !== undefined && { merchantAccountId }),
    payment: { paymentId, amount, currency: 'EUR' },
    ...fields,
  };
  return Buffer.from(JSON.stringify(body));
}
