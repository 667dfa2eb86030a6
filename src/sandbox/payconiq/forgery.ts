import { hmacSha256, randomToken } from '../../transport/digest.js';
import { generateSigningKey, signDetached } from '../../transport/jws.js';
import type { SigningKeyPair } from '../../transport/jws.js';
import type { Forgery } from './faults.js';
import { CRITICAL_CLAIMS, claim, providerClaims, signAs } from './signing-keys.js';
import type { ClaimsInput } from './signing-keys.js';

export interface Signable {
  readonly key: SigningKeyPair;
  readonly claims: ClaimsInput;
  readonly body: Buffer;
}

/** A callback's body with its signature, if any. */
export interface SignedBody {
  readonly body: Buffer;
  readonly signature: string | undefined;
}

type Forger = (genuine: Signable) => Promise<SignedBody>;

const withClaim =
  (name: 'iss' | 'sub' | 'path', value: string): Forger =>
  async ({ key, claims, body }) => {
    const header = { ...providerClaims(claims), [claim(name)]: value };
    return { body, signature: await signAs(key, { header, payload: body }) };
  };

const withKey =
  (kidOf: (genuine: SigningKeyPair) => string): Forger =>
  async ({ key, claims, body }) => {
    const other = await generateSigningKey(kidOf(key));
    const header = providerClaims(claims);
    return { body, signature: await signAs(other, { header, payload: body }) };
  };

/** A header of another algorithm; `mac` makes the signature over the signing input. */
const withAlgorithm =
  (alg: string, mac: (input: string, key: SigningKeyPair) => string): Forger =>
  ({ key, claims, body }) => {
    const fields = { typ: 'jose+json', kid: key.kid, alg, crit: CRITICAL_CLAIMS };
    const header = encode(JSON.stringify({ ...fields, ...providerClaims(claims) }));
    const input = `${header}.${body.toString('base64url')}`;
    return Promise.resolve({ body, signature: `${header}..${mac(input, key)}` });
  };

/** Each way to forge a callback that is well formed in all other respects. */
const FORGERS = {
  wrong_key: withKey((genuine) => genuine.kid),
  unknown_kid: withKey(() => `es.signature.forged.${randomToken(6)}`),
  alg_none: withAlgorithm('none', () => ''),
  alg_hs256: withAlgorithm('HS256', (input, { publicJwk }) =>
    hmacSha256(JSON.stringify(publicJwk), input).toString('base64url'),
  ),
  alg_rs256: withAlgorithm('RS256', () => randomToken(256)),
  altered_body: async ({ key, claims, body }) => ({
    body: alter(body),
    signature: await signAs(key, { header: providerClaims(claims), payload: body }),
  }),
  missing_crit: async ({ key: { kid, privateKey }, claims, body }) => {
    const header = providerClaims(claims);
    const crit = CRITICAL_CLAIMS.filter((name) => name !== claim('sub'));
    const typ = 'jose+json';
    const signed = { key: privateKey, kid, typ, header, crit, payload: body };
    return { body, signature: await signDetached(signed) };
  },
  wrong_path: withClaim('path', 'https://elsewhere.example/notifications'),
  wrong_subject: withClaim('sub', '000000000000000000000000'),
  wrong_issuer: withClaim('iss', 'Somebody'),
  no_signature: ({ body }) => Promise.resolve({ body, signature: undefined }),
} as const satisfies Record<Forgery, Forger>;

export function forge(how: Forgery, genuine: Signable): Promise<SignedBody> {
  return FORGERS[how](genuine);
}

/** Says SUCCEEDED, and one cent less. */
function alter(body: Buffer): Buffer {
  const callback = JSON.parse(body.toString('utf8')) as { totalAmount: number };
  const totalAmount = callback.totalAmount - 1;
  return Buffer.from(JSON.stringify({ ...callback, totalAmount, status: 'SUCCEEDED' }));
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}
