/**
 * Payconiq's two ways of proving who asks (API key, or a detached JWS), and how its answers and
 * callbacks are proven. @see payconiq.txt L367-380, L534-641, L11808-11957
 */
import { importPrivateKey, signDetached, verifyDetached } from '../../transport/jws.js';
import type { KeySource, VerifyResult, VerifiedHeader } from '../../transport/jws.js';
import type { PayconiqSettings } from './config.js';
import { signingKeyAt } from './signing-keys.js';

const claim = (name: string): string => `https://payconiq.com/${name}`;

/** All five must be marked critical, on requests, answers and callbacks. */
export const CRITICAL_CLAIMS = ['iat', 'jti', 'path', 'iss', 'sub'].map(claim);

export interface Signable {
  /** The request's path, without query. */
  readonly path: string;
  readonly body: Uint8Array;
  readonly nowMs: number;
  /** Fresh for every send. */
  readonly jti: string;
}

/** The headers that authenticate one request. */
export type Authenticate = (request: Signable) => Promise<Record<string, string>>;

/** Signs where a key is configured, with the one that is due by then; else sends the API key. */
export function authenticator(settings: PayconiqSettings): Authenticate {
  const { signing, apiKey = '' } = settings;
  if (!signing) return () => Promise.resolve({ authorization: `Bearer ${apiKey}` });
  return async ({ path, body, nowMs, jti }) => {
    const { kid, privateKeyPem } = signingKeyAt(signing, nowMs);
    const signature = await signDetached({
      key: await importPrivateKey({ pem: privateKeyPem }),
      kid,
      typ: 'jose+json',
      header: {
        [claim('iat')]: new Date(nowMs).toISOString(),
        [claim('jti')]: jti,
        [claim('path')]: path,
        [claim('iss')]: settings.merchantId ?? '',
        [claim('sub')]: settings.profileId,
      },
      crit: CRITICAL_CLAIMS,
      payload: body,
    });
    return { signature };
  };
}

/** Proves that Payconiq signed this body. What the claims say is the caller's to compare. */
export function verifySignature(
  jws: string,
  payload: Uint8Array,
  keys: KeySource,
): Promise<VerifyResult> {
  return verifyDetached({
    jws,
    payload,
    keys,
    algorithms: ['ES256'],
    requiredCrit: CRITICAL_CLAIMS,
  });
}

/** The profile that a verified message is about; '' for none. */
export function claimedProfile(header: VerifiedHeader): string {
  const subject = header[claim('sub')];
  return typeof subject === 'string' ? subject : '';
}

/**
 * Compares the claims of a verified callback; the reason if one does not fit.
 * There is no freshness limit: a repeat has the same iat and jti for 24 hours (L416-419).
 */
export function callbackViolation(
  header: VerifiedHeader,
  expected: { readonly profileId: string; readonly callbackUrl: string | undefined },
): string | undefined {
  if (header[claim('iss')] !== 'Payconiq') return 'claim iss is not Payconiq';
  if (header[claim('sub')] !== expected.profileId) return 'claim sub is not our profile id';
  const path = header[claim('path')];
  if (expected.callbackUrl === undefined) return 'no callback URL is configured';
  const accepted = [expected.callbackUrl, new URL(expected.callbackUrl).pathname];
  if (typeof path !== 'string' || !accepted.includes(path)) {
    return 'claim path is not the URL this payment was given';
  }
  return undefined;
}
